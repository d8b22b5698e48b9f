"""Expressions of n8n's, in a subset of JavaScript: read, and written as ours."""
