"""OAuth 2.0, the client's side: what is asked of a provider, what it answers, and how its tokens are kept fresh."""
