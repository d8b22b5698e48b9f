"""Signing in to providers: the protocol, renewal, and what happens when processes die in it."""
