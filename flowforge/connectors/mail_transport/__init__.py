"""The mail transport of connectors: SMTP, bounded and watched."""
