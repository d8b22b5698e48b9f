"""Files that are passed on with data: whoever is given a file by an execution, or by its owner, may use it, too.

An event that came in from outside is given none: a file that its sender names is not his.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.db import files_store
from flowforge.db.ending_store import EndedExecution
from flowforge.db.engine import Connection
from flowforge.db.events_store import NewEvent
from flowforge.file_values import may_hold_files, stored_ids
from flowforge.jsonio import Written


def pass_on_to_events(connection: Connection, new: Sequence[NewEvent]) -> None:
    """Passes on what an execution gives the workflow that it calls, and what somebody starts a workflow with."""
    for event in new:
        if event.trigger_id is not None or isinstance(event.metadata, Written):
            continue
        file_ids = _stored_ids(event.payload)
        source = event.metadata.get("executionId")
        if file_ids and source is not None:
            files_store.pass_on(connection, event.event_id, file_ids, UUID(str(source)))
        elif file_ids:
            files_store.lend(connection, event.event_id, file_ids, event.user_id)


def pass_on_to_callers(connection: Connection, ended: Sequence[EndedExecution]) -> None:
    """Passes on what called executions give back to those that called them."""
    for execution in ended:
        file_ids = _stored_ids(execution.result)
        if file_ids:
            caller = UUID(str((execution.awaited_by or {})["executionId"]))
            files_store.pass_on(connection, caller, file_ids, execution.execution_id)


def _stored_ids(value: Any) -> set[UUID]:
    return stored_ids(value) if value and may_hold_files(jsonio.dumps(value)) else set()
