"""Connections and named secrets: written once, called by name."""
