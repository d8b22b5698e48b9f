"""The language of mail, for what is sent and what is received: addresses, parts, HTML. Pure."""
