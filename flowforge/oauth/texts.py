"""Texts of providers, made fit to be stored and shown: they may hold anything."""

from __future__ import annotations


def printable(text: str, longest: int) -> str:
    """Without line breaks, NUL, half surrogate pairs and the like."""
    return "".join(character for character in text[:longest] if character.isprintable()).strip()
