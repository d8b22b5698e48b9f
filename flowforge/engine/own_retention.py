"""Deletion of executions that are older than the settings of their workflows keep them.

These are read while deleting: a retention that was changed also counts for executions that ended before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flowforge.db import files_store, retention_store
from flowforge.db.engine import transaction
from flowforge.db.retention_store import PastExecution
from flowforge.engine.log_sink import key_of_event
from flowforge.wiring import Backends


def delete_past(backends: Backends, now: datetime, rows: int) -> int:
    """Delete up to `rows` executions with their log lines and files; returns how many. The log goes first: where its
    store does not answer, nothing is deleted. Raises Unavailable."""
    with transaction(backends.engine) as connection:
        past = retention_store.past_own_retention(connection, now, rows)
    if not past:
        return 0
    _delete_log_lines(backends, past)
    with transaction(backends.engine) as connection:
        deleted = retention_store.delete_executions(connection, [execution.id for execution in past])
        files_store.drop_files(connection, files_store.delete_uses_of(connection, _holders(past)))
    return deleted


def _delete_log_lines(backends: Backends, past: Sequence[PastExecution]) -> None:
    by_owner: dict[UUID, list[PastExecution]] = defaultdict(list)
    for execution in past:
        by_owner[execution.user_id].append(execution)
    for user_id, theirs in by_owner.items():
        keys = [key_of_event(execution.event_id) for execution in theirs if execution.event_id]
        backends.logbook.delete_of(user_id, [execution.id for execution in theirs], keys)


def _holders(past: Sequence[PastExecution]) -> list[UUID]:
    """The executions, and the events whose files they were given."""
    return [id_ for execution in past for id_ in (execution.id, execution.event_id) if id_ is not None]
