"""Accounts, and every way of proving an identity."""
