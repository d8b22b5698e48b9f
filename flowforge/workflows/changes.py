"""Changes to workflows and drafts as people and clients request them, read from their JSON.

Only the definition inside them is free JSON: the workflow language reads that itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from flowforge.errors import Problem, raise_any
from flowforge.field_reader import FieldReader
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

LONGEST_NOTE = 500
_LARGEST_REVISION = 2_000_000_000


@dataclass(frozen=True, slots=True)
class WorkflowChange:
    """A new workflow, or changes to one: what is None or left out is kept, or has its default."""

    definition: JsonObject = field(default_factory=dict)
    """The written parts: `name`, `trigger`, `actions`, `settings`; others are ignored."""
    enabled: bool | None = None
    note: str | None = None
    """A remark on the version that is saved."""
    problems: tuple[Problem, ...] = ()
    """Problems of the fields around the definition, reported together with its own."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        fields = FieldReader(raw)
        enabled, note = fields.flag("enabled"), _note(fields)
        definition = {name: value for name, value in raw.items() if name not in ("enabled", "note")}
        return cls(definition, enabled, note, tuple(fields.problems))


@dataclass(frozen=True, slots=True)
class DraftChange:
    """A definition, in whatever state it is, and the revision it was made from (0: there was no draft)."""

    definition: JsonObject
    revision: int = 0

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        definition, revision = fields.require("definition", dict, sentence("must be an object")), _revision(fields)
        raise_any(fields.problems)
        return cls(definition or {}, revision or 0)


@dataclass(frozen=True, slots=True)
class Publication:
    """A request to publish a draft: the revision that is meant, where one is named, and a remark on the version."""

    revision: int | None = None
    note: str | None = None
    overwrite: bool = False
    """Whether to publish it even where another version was published since the draft was begun."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        note, revision, overwrite = _note(fields), _revision(fields), fields.flag("overwrite")
        raise_any(fields.problems)
        return cls(revision, note, bool(overwrite))


@dataclass(frozen=True, slots=True)
class Restoration:
    """A request to publish an old version again. Without a note, its note names the old version."""

    note: str | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        note = _note(fields)
        raise_any(fields.problems)
        return cls(note)


def _note(fields: FieldReader) -> str | None:
    wrong = sentence("must be text of at most %(most)s characters", most=LONGEST_NOTE)
    return fields.take("note", str, wrong, lambda text: len(text) <= LONGEST_NOTE)


def _revision(fields: FieldReader) -> int | None:
    wrong = sentence("must be a whole number, 0 or more")
    return fields.take("revision", int, wrong, lambda number: 0 <= number <= _LARGEST_REVISION)
