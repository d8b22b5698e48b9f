"""Patterns for LIKE made of what somebody looks for."""

from __future__ import annotations

import re


def literal(text: str) -> str:
    """A pattern that stands for the text itself, less NUL, which PostgreSQL's text cannot hold."""
    return re.sub(r"([\\%_])", r"\\\1", text.replace("\0", ""))
