"""Workflows as text: their YAML form, its checks and schema, and the commands that bring it to a server and back."""
