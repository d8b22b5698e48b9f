"""Language models: a conversation, the dialects in which providers want it, and answers held to a JSON Schema."""
