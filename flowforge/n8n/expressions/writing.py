"""Pieces of expressions of ours, put together with as few brackets as they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flowforge.n8n.data import reach

CHOICE, OR, AND, NOT, COMPARE, ADD, JOIN, MULTIPLY, UNARY, FILTER, PATH = range(11)
"""How tightly the outermost operator of a piece binds (jinja2.parser)."""

TEXT, NUMBER, FRACTION, FLAG, LIST, OBJECT, TIME, ANY = (
    "text",
    "number",
    "fraction",
    "flag",
    "list",
    "object",
    "time",
    "any",
)


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    level: int = FILTER
    kind: str = ANY
    """What it is known to give. A `fraction` is a number that JavaScript may write without the decimals."""
    may_miss: bool = False
    """Whether it is a path that may lead nowhere, and nothing was said about that yet."""
    zone: str = "UTC"
    """Of a time: in which zone it is written."""

    def at(self, level: int) -> str:
        """Its value, in brackets where it binds less tightly than that."""
        whole = self.settled()
        return whole.text if whole.level >= level else f"({whole.text})"

    def settled(self, fallback: str = "none") -> Piece:
        """With the value of what may be missing: in n8n that is undefined, here an error."""
        if not self.may_miss:
            return self
        return replace(self, text=f"{self.text} | default({fallback})", level=FILTER, may_miss=False)

    def or_else(self, fallback: str) -> Piece:
        """With another value where it is missing or empty."""
        text = self.text if self.level >= FILTER else f"({self.text})"
        return replace(self, text=f"{text} | default({fallback}, true)", level=FILTER, may_miss=False)

    def filtered(self, usage: str, kind: str = ANY) -> Piece:
        return Piece(f"{self.at(FILTER)} | {usage}", FILTER, kind, zone=self.zone)

    def field(self, key: str | int) -> Piece:
        holder = self.text if self.level == PATH else f"({self.text})"
        return Piece(reach(holder, key), PATH, ANY, True)

    def part(self, key: Piece) -> Piece:
        holder = self.text if self.level == PATH else f"({self.text})"
        return Piece(f"{holder}[{key.at(CHOICE)}]", PATH, ANY, True)


def operated(left: Piece, operator: str, right: Piece, level: int, kind: str) -> Piece:
    """Two pieces with an operator between them; those of one level are taken from the left."""
    return Piece(f"{left.at(level)} {operator} {right.at(level + 1)}", level, kind)


def listed(pieces: Iterable[Piece]) -> Piece:
    return Piece(f"[{', '.join(piece.at(CHOICE) for piece in pieces)}]", PATH, LIST)
