"""Mailboxes: how one is opened and read, and how far it has been read."""
