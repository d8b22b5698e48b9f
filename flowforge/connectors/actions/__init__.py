"""Actions: what a step can do. Each file is one connector, and knows the SDK alone."""
