"""Connectors: what a step can do. `sdk` declares them, `catalog` finds them, each other file here is one of them."""
