"""The mail transport of connectors: SMTP and IMAP, bounded and watched."""
