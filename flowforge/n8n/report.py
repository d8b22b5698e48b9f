"""What became of a workflow of n8n's: node by node, and in sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    MAPPED = "mapped"
    APPROXIMATED = "approximated"
    """It does nearly the same; the notes say what differs."""
    LEFT = "left"
    """A disabled step stands in its place."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    name: str
    type: str
    outcome: Outcome
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one workflow of a file, which may have become several."""

    name: str
    nodes: Sequence[NodeReport]
    remarks: Sequence[str] = ()
    """What concerns the whole of it."""
    connections: Sequence[str] = ()
    """The names of the connections that have to be there before it runs."""
    sticky_notes: Sequence[str] = ()
    expressions: int = 0
    expressions_in_code: int = 0
    untranslated: Sequence[tuple[str, str]] = ()
    """Expressions that nothing could be made of, each with the reason."""

    def with_outcome(self, outcome: Outcome) -> list[NodeReport]:
        return [node for node in self.nodes if node.outcome is outcome]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left."""
        return bool(self.nodes) and not self.with_outcome(Outcome.LEFT)


@dataclass
class NodeNotes:
    """What is gathered about one node while the workflow is built; it may be worked on several times."""

    notes: list[str] = field(default_factory=list)
    left: str | None = None
    """Why it was left."""

    def add(self, notes: Sequence[str]) -> None:
        self.notes += [note for note in notes if note not in self.notes]

    def report(self, name: str, type_: str) -> NodeReport:
        if self.left is not None:
            return NodeReport(name, type_, Outcome.LEFT, [self.left, *self.notes])
        return NodeReport(name, type_, Outcome.APPROXIMATED if self.notes else Outcome.MAPPED, self.notes)
