"""What a trigger's config comes to, as facts of which pages make one line in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowforge.triggers.schedules.schedule import Cron, Every


@dataclass(frozen=True, slots=True)
class TriggerSummary:
    subject: str = ""
    """An account, an address, a title: as somebody wrote it."""
    texts: Sequence[str] = ()
    """Texts of declarations, in English."""
    fields: int | None = None
    """The number of fields that people fill in; None where it has none."""
    times: Every | Cron | None = None
    problem: str = ""
    """Why it has no times, where it should have."""
