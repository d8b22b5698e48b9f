"""Polling: triggers that look again and again for something new, each as its kind does; mailboxes are one of them."""
