"""Presets: what a provider's own documentation says about signing in to it, as data."""
