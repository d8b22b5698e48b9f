"""Deleting executions that are over, with their steps and their log, before their time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import ExecutionRow
from flowforge.engine.log_sink import key_of_event
from flowforge.wiring import Backends

MOST_EXECUTIONS = 100
"""The most that a person deletes, or does something else to, at once."""


def delete_ended(session: Session, backends: Backends, user_id: UUID, execution_ids: Sequence[UUID]) -> int:
    """Delete those of the user's executions that are over; returns how many. The log goes first: where its store does
    not answer, nothing is deleted. Commits. Raises Unavailable."""
    ended = ExecutionRow.id.in_(execution_ids), ExecutionRow.user_id == user_id, ExecutionRow.finished_at.is_not(None)
    gone = session.execute(delete(ExecutionRow).where(*ended).returning(ExecutionRow.id, ExecutionRow.event_id)).all()
    if not gone:
        return 0
    record(session, Action.EXECUTIONS_DELETED, by=user_id, executions=len(gone))
    session.flush()
    keys = [key_of_event(row.event_id) for row in gone if row.event_id]
    backends.logbook.delete_of(user_id, [row.id for row in gone], keys)
    session.commit()
    return len(gone)
