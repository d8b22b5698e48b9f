"""Accounts: who somebody is, and every way of proving it."""
