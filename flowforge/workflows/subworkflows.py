"""Workflows that name other workflows: those they name have to be there, and must not lead back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow
from flowforge.errors import Problem
from flowforge.language.definition import WorkflowDefinition
from flowforge.language.pointers import Part, pointer
from flowforge.language.tree import actions_in
from flowforge.sentences import sentence
from flowforge.workflows.called_workflow import called_workflow

_MOST_FOLLOWED = 500
"""Workflows looked at to find a circle; an execution's own limit of depth holds beyond."""


def problems_of_calls(
    session: Session, user_id: UUID, workflow_id: UUID | None, definition: WorkflowDefinition
) -> list[Problem]:
    """Validate the calls of workflows that are named by an id; names that are expressions are resolved by the run only.
    `workflow_id` is None for a workflow that is new. One statement for each step from workflow to workflow."""
    written = definition.dump()
    named = list(_calls(written["actions"]))
    error_workflow = (written.get("settings") or {}).get("errorWorkflow")
    callees = _callees(session, user_id, {id_ for _, id_ in named})
    problems = [
        Problem(pointer(path), sentence("there is no such workflow"))
        for path, id_ in named
        if id_ not in callees and id_ != workflow_id
    ]
    problems += [
        Problem(pointer(path), sentence("leads back to this workflow: workflows cannot call one another in a circle"))
        for path, id_ in named
        if workflow_id is not None and _leads_to(session, user_id, id_, workflow_id, callees)
    ]
    if error_workflow is not None and not _exists(session, user_id, error_workflow):
        problems.append(Problem("/settings/errorWorkflow", sentence("there is no such workflow")))
    return problems


def _calls(actions: Any) -> Iterator[tuple[tuple[Part, ...], UUID]]:
    for path, action in actions_in(actions):
        called = called_workflow(action)
        id_ = _uuid(called.named) if called else None
        if called is not None and id_ is not None:
            yield (*path, "config", called.field), id_


def _leads_to(session: Session, user_id: UUID, start: UUID, goal: UUID, callees: dict[UUID, set[UUID]]) -> bool:
    seen: set[UUID] = set()
    waiting = {start}
    while waiting and len(seen) < _MOST_FOLLOWED:
        if goal in waiting:
            return True
        seen |= waiting
        callees |= _callees(session, user_id, waiting - callees.keys())
        waiting = {called for id_ in waiting for called in callees.get(id_, ())} - seen
    return False


def _callees(session: Session, user_id: UUID, ids: set[UUID]) -> dict[UUID, set[UUID]]:
    """Workflow id -> the workflows it calls; those that do not exist are left out."""
    if not ids:
        return {}
    wanted = select(Workflow.id, Workflow.actions_definition).where(Workflow.user_id == user_id, Workflow.id.in_(ids))
    return {id_: {called for _, called in _calls(actions)} for id_, actions in session.execute(wanted)}


def _exists(session: Session, user_id: UUID, text: str) -> bool:
    id_ = _uuid(text)
    wanted = select(Workflow.id).where(Workflow.user_id == user_id, Workflow.id == id_)
    return id_ is not None and session.scalar(wanted) is not None


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
