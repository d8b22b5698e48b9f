"""Paths in a document, written as JSON pointers (RFC 6901) for clients, and dotted for people."""

from __future__ import annotations

from collections.abc import Iterable

Part = str | int


def pointer(parts: Iterable[Part]) -> str:
    """`/actions/1/config/a~1b`; the document itself is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parsed(text: str) -> tuple[Part, ...]:
    """The parts of a pointer; those that are all digits are taken for positions in lists."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]
    return tuple(int(part) if part.isdecimal() and len(part) < 10 else part for part in parts)


def dotted(parts: Iterable[Part], start: str = "") -> str:
    """`config.rows[0].id`"""
    path = start
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path
