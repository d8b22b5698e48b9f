"""Connection kinds: each file declares one sort of credentials that people save under a name, with the SDK alone."""
