"""The field `note`: what people say about a version that they save."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.errors import Problem

LONGEST_NOTE = 500


def problems_of_note(raw: Mapping[str, Any]) -> list[Problem]:
    note = raw.get("note")
    usable = note is None or (isinstance(note, str) and len(note) <= LONGEST_NOTE)
    return [] if usable else [Problem("/note", f"must be text of at most {LONGEST_NOTE} characters")]
