"""The one HTTP client of all connectors."""
