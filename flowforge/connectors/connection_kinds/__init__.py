"""Connection kinds: sorts of credentials that people save under a name. Each file is one, and knows the SDK alone."""
