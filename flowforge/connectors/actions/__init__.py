"""Actions: each file declares one connector, with the SDK and the connection kinds alone."""
