"""Workflows that somebody has selected, to do the same to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow
from flowforge.errors import Problem, raise_any
from flowforge.sentences import sentence

MOST = 200
"""The most workflows that are changed at once."""


def require_all(session: Session, user_id: UUID, workflow_ids: Sequence[UUID]) -> None:
    """Raises Invalid that names each id, by its position, that is no workflow of the user's."""
    mine = select(Workflow.id).where(Workflow.user_id == user_id, Workflow.id.in_(workflow_ids))
    there = set(session.scalars(mine))
    raise_any(
        [
            Problem(f"/workflowIds/{position}", sentence("is the id of no workflow"))
            for position, id_ in enumerate(workflow_ids)
            if id_ not in there
        ]
    )
