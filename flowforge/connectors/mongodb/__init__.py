"""MongoDB: the way to its servers, sessions with them, and values between BSON and JSON."""
