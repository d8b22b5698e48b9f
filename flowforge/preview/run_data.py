"""The run whose data a workflow is built on: what came in and what its steps gave are picked from first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, PinnedOutput, Workflow
from flowforge.errors import NotFound
from flowforge.sentences import sentence
from flowforge.workflows.pins import TRIGGER


def build_on(session: Session, user_id: UUID, workflow_id: UUID, execution_id: UUID) -> None:
    """Build the workflow on the data of one of its executions; they take the place of its sample, and of what step
    tests gave. Pinned outputs stay. Commits. Raises NotFound."""
    _execution_of(session, user_id, workflow_id, execution_id)
    _choose(session, workflow_id, execution_id)
    of_tests = or_(PinnedOutput.of_test.is_(True), PinnedOutput.step_id == TRIGGER)
    session.execute(delete(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id, of_tests))
    session.commit()


def build_on_latest(session: Session, user_id: UUID, workflow_id: UUID) -> None:
    """Build the workflow on the data of its latest executions again. Commits."""
    if session.scalar(select(Workflow.user_id).where(Workflow.id == workflow_id)) == user_id:
        _choose(session, workflow_id, None)
        session.commit()


def begun_at(session: Session, workflow_id: UUID) -> datetime | None:
    """Tell when the execution began that the workflow is built on; None where that are its latest ones."""
    chosen = select(ExecutionRow.created_at).join(Workflow, Workflow.data_execution_id == ExecutionRow.id)
    return session.scalar(chosen.where(Workflow.id == workflow_id))


def _execution_of(session: Session, user_id: UUID, workflow_id: UUID, execution_id: UUID) -> None:
    """Raises NotFound."""
    row = ExecutionRow
    mine = select(row.id).where(row.id == execution_id, row.workflow_id == workflow_id, row.user_id == user_id)
    if session.scalar(mine) is None:
        raise NotFound(sentence("this workflow has no such execution"))


def _choose(session: Session, workflow_id: UUID, execution_id: UUID | None) -> None:
    """The workflow has not changed by that: its time stays."""
    values = {"data_execution_id": execution_id, "updated_at": Workflow.updated_at}
    session.execute(update(Workflow).where(Workflow.id == workflow_id).values(values))
