"""Webhooks: who may call them, how a call is told from its repeats, and what providers want to be answered."""
