"""The field of the payload that lists of executions show for a workflow, as in `body.order.id`."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence

LONGEST = 200
DEEPEST = 10
_WRITTEN = re.compile(r"\{\{(.*)\}\}", re.DOTALL)


def read(written: object) -> str | None:
    """Read the path of a field, also one that is written as an expression, `{{ trigger.body.order.id }}`; None where
    none is shown. Raises Invalid."""
    if written is None:
        return None
    if not isinstance(written, str) or len(written) > LONGEST:
        raise Invalid.at("/listField", sentence("must be a text of at most %(most)s characters", most=LONGEST))
    inner = _WRITTEN.fullmatch(written.strip())
    path = (inner[1] if inner else written).strip().removeprefix("trigger.")
    names = [name.strip() for name in path.replace("[", ".").replace("]", "").split(".")] if path else []
    if len(names) > DEEPEST or not all(name and name.isprintable() for name in names):
        raise Invalid.at("/listField", sentence("must be names with . between them, such as body.order.id"))
    return ".".join(names) or None


def find(session: Session, user_id: UUID, workflow_id: UUID) -> str | None:
    """Find the field that is shown; None for none, or where there is no such workflow."""
    return session.scalar(_chosen(user_id, workflow_id))


def get(session: Session, user_id: UUID, workflow_id: UUID) -> str | None:
    """Get the field that is shown; None for none. Raises NotFound."""
    found = session.scalars(_chosen(user_id, workflow_id)).all()
    if not found:
        raise NotFound(sentence("there is no such workflow"))
    return found[0]


def choose(session: Session, user_id: UUID, workflow_id: UUID, field: str | None) -> None:
    """Show a field that `read` gave, or none. Commits. Raises NotFound."""
    mine = Workflow.id == workflow_id, Workflow.user_id == user_id
    values = {"list_field": field, "updated_at": Workflow.updated_at}
    if session.scalar(update(Workflow).where(*mine).values(**values).returning(Workflow.id)) is None:
        raise NotFound(sentence("there is no such workflow"))
    session.commit()


def _chosen(user_id: UUID, workflow_id: UUID) -> Select[str | None]:
    return select(Workflow.list_field).where(Workflow.id == workflow_id, Workflow.user_id == user_id)
