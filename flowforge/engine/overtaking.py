"""New work of other workflows gets past a backlog.

Events come from the bus in the order in which they were accepted: what is accepted behind 20,000 calls of one workflow
would wait until all of these have begun. While the orchestrator is behind, it takes what others have waiting from
PostgreSQL, some at a time; what the bus brings again later has been handled, and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flowforge.db.backlog_store import find_overtaking
from flowforge.db.engine import Connection
from flowforge.engine.accepted_events import trigger_event
from flowforge.events import TriggerEvent

BEHIND = timedelta(seconds=1)
"""Age of an event that the bus brings from which on there is a backlog."""
AT_ONCE = 100
MOST_WAITING = 1000
"""Events of one workflow. With more it has a backlog itself, which perhaps another orchestrator works off."""
_REMEMBERED_SECONDS = 10.0
"""The bus brings partitions in turn."""
_PAUSE_SECONDS = 0.2
_PAUSE_AFTER_FAILURE_SECONDS = 5.0
_PART_OF_THE_TIME = 0.1
"""For looking, however long the backlog is."""


class Overtaking:
    """Tells when there is a backlog, and finds what is to get past it."""

    def __init__(self) -> None:
        self._is_behind = False
        """False, too, once nobody is left who has to be looked for."""
        self._brought: dict[UUID, float] = {}
        """The workflows in the bus's backlog, and when it last brought events of theirs."""
        self._next_look = 0.0

    @property
    def is_due(self) -> bool:
        return self._is_behind and time.monotonic() >= self._next_look

    def note(self, events: Collection[TriggerEvent]) -> None:
        """Notes a batch of events that the bus has brought."""
        expected = datetime.now(UTC) - BEHIND
        self._is_behind = any(event.timestamp < expected for event in events)
        if self._is_behind:
            self._remember({event.workflow_id for event in events})

    def find(self, connection: Connection) -> dict[UUID, TriggerEvent]:
        """The events that are to go first, by id."""
        begun = time.monotonic()
        found = find_overtaking(connection, self._brought, AT_ONCE, MOST_WAITING)
        ended = time.monotonic()
        self._next_look = ended + max(_PAUSE_SECONDS, (ended - begun) / _PART_OF_THE_TIME)
        if not found:
            self._is_behind = False  # until the bus brings more of the backlog
        return {event.event_id: trigger_event(event) for event in found}

    def note_failure(self) -> None:
        """Something among what was found cannot begin: it is left to its turn, and so is the rest for a while."""
        self._next_look = time.monotonic() + _PAUSE_AFTER_FAILURE_SECONDS

    def _remember(self, workflows: Collection[UUID]) -> None:
        now = time.monotonic()
        recent = {id_: at for id_, at in self._brought.items() if now - at < _REMEMBERED_SECONDS}
        self._brought = recent | dict.fromkeys(workflows, now)
