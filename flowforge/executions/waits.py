"""Waits for a call or a person: looking at them, and ending them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.bus import EventBus
from flowforge.db import waits_store
from flowforge.db.attempt_rows import AttemptResult
from flowforge.db.tables import ExecutionRow, StepAttempt
from flowforge.engine.announcements import announce_quietly, wait_messages
from flowforge.errors import Conflict, NotFound
from flowforge.execution.state import AttemptState
from flowforge.resume_links import WaitKey
from flowforge.sentences import sentence

RESUMABLE = ("resume", "approval")
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class OpenWait:
    """A wait for a call or a person. `kind` is `resume` or `approval`."""

    key: WaitKey
    kind: str
    message: str | None
    due_at: datetime


def find(session: Session, key: WaitKey) -> OpenWait:
    """Raises NotFound where the execution is gone, Conflict where the wait is over or has not begun."""
    row = session.scalar(_attempts(key))
    if row is None:
        execution = session.get(ExecutionRow, key.execution_id)
        if execution is None:
            raise NotFound(sentence("there is no such wait"))
        raise Conflict(
            sentence("the execution is over")
            if execution.finished_at
            else sentence("the execution does not wait here yet, try again later")
        )
    if row.state != AttemptState.WAITING:
        raise Conflict(sentence("this link was used already, or its time is over"))
    return _open(row)


def owner_of(session: Session, key: WaitKey) -> UUID:
    """The account of the execution that waits."""
    return session.execute(select(ExecutionRow.user_id).where(ExecutionRow.id == key.execution_id)).scalar_one()


def waiting(session: Session, execution_id: UUID) -> Sequence[OpenWait]:
    """List the execution's open waits for calls and people, the oldest first."""
    wanted = select(StepAttempt).where(
        StepAttempt.execution_id == execution_id,
        StepAttempt.state == AttemptState.WAITING,
        StepAttempt.waiting["kind"].astext.in_(RESUMABLE),
    )
    return [_open(row) for row in session.scalars(wanted.order_by(StepAttempt.due_at).limit(MOST_LISTED))]


def resume(session: Session, bus: EventBus, key: WaitKey, output: Mapping[str, Any]) -> None:
    """Ends the wait; `output` becomes the step's. Commits. Raises NotFound, and Conflict where it has ended before."""
    find(session, key)
    result = AttemptResult(key.execution_id, key.step_index, key.iteration, 1, succeeded=True, output=output)
    ended = waits_store.end_waits(session.connection(), [result])
    session.commit()
    if not ended:
        raise Conflict(sentence("this link was used already, or its time is over"))
    announce_quietly(bus, wait_messages(ended))


def _attempts(key: WaitKey) -> Any:
    return select(StepAttempt).where(
        StepAttempt.execution_id == key.execution_id,
        StepAttempt.step_index == key.step_index,
        StepAttempt.iteration == key.iteration,
        StepAttempt.attempt == 1,
        StepAttempt.waiting["kind"].astext.in_(RESUMABLE),
    )


def _open(row: StepAttempt) -> OpenWait:
    waiting = row.waiting or {}
    key = WaitKey(row.execution_id, row.step_index, row.iteration)
    return OpenWait(key, str(waiting.get("kind")), waiting.get("message"), row.due_at)
