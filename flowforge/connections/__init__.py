"""Connections and named secrets: saved once, called by name."""
