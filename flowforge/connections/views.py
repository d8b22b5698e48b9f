"""Views of connections and named secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as people may see it: its secrets are masked."""

    id: UUID
    name: str
    type: str
    config: JsonObject
    """Empty where its type does not exist any more, and with it the list of its secret fields."""
    can_be_tested: bool
    tested_at: datetime | None
    problem: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NamedSecretView:
    """A named secret without its value, which nobody but the executor sees."""

    name: str
    updated_at: datetime
