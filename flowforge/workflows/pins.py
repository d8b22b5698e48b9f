"""Outputs that stand for steps while a workflow is tried out; what triggers start never sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.refusals import refused_as
from flowforge.db.tables import PinnedOutput
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.field_order import order_of, restore
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence

TRIGGER = "trigger"
"""The name under which the payload is pinned."""
MOST_PINNED_BYTES = 256 * 1024
MOST_PINS = 1_000


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """The ids of steps of which an output is kept: pinned by somebody, or given by a step test."""

    pinned: frozenset[str]
    tested: frozenset[str]


def pinned_outputs(session: Session, workflow_id: UUID) -> dict[str, JsonObject]:
    """Find the pinned outputs by the step's id; the payload under `trigger`."""
    return _outputs(session, workflow_id, PinnedOutput.of_test.is_(False))


def kept_outputs(session: Session, workflow_id: UUID) -> dict[str, JsonObject]:
    """Find the pinned outputs, and those that step tests gave, by the step's id; the payload under `trigger`."""
    return _outputs(session, workflow_id)


def _outputs(session: Session, workflow_id: UUID, *conditions: ColumnElement[bool]) -> dict[str, JsonObject]:
    wanted = select(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id, *conditions)
    return {row.step_id: restore(row.output, row.output_order) for row in session.scalars(wanted.limit(MOST_PINS))}


def kept_steps(session: Session, workflow_id: UUID) -> KeptSteps:
    wanted = select(PinnedOutput.step_id, PinnedOutput.of_test).where(PinnedOutput.workflow_id == workflow_id)
    found = session.execute(wanted.limit(MOST_PINS)).all()
    pinned, tested = ({row.step_id for row in found if row.of_test is of_test} for of_test in (False, True))
    return KeptSteps(frozenset(pinned - {TRIGGER}), frozenset(tested))


def pinned_output(session: Session, workflow_id: UUID, step_id: str) -> JsonObject | None:
    """Read what is pinned for one step."""
    row = session.get(PinnedOutput, (workflow_id, step_id))
    return None if row is None or row.of_test else restore(row.output, row.output_order)


def pin(session: Session, workflow_id: UUID, step_id: str, output: Mapping[str, Any]) -> None:
    """Commits. Raises Invalid for what is too large, and Conflict where the workflow is deleted meanwhile."""
    _keep(session, workflow_id, step_id, output, of_test=False)


def keep_tested(session: Session, workflow_id: UUID, step_id: str, output: Mapping[str, Any]) -> None:
    """Keep what a step test gave, unless an output of the step is pinned. Commits. Raises as `pin`."""
    _keep(session, workflow_id, step_id, output, of_test=True)


def _keep(session: Session, workflow_id: UUID, step_id: str, output: Mapping[str, Any], *, of_test: bool) -> None:
    try:
        jsonio.dumps_within(output, MOST_PINNED_BYTES)
    except jsonio.TooLarge as error:
        raise Invalid.at("", sentence("has %(error)s", error=message_of(error))) from error
    kept = jsonio.loads(jsonio.dumps_for_database(output))
    values = {"output": kept, "output_order": order_of(kept), "of_test": of_test, "updated_at": datetime.now(UTC)}
    statement = insert(PinnedOutput).values(workflow_id=workflow_id, step_id=step_id, **values)
    replaced = PinnedOutput.of_test.is_(True) if of_test else None
    with refused_as(session, Conflict(sentence("the workflow was deleted meanwhile"))):
        session.execute(
            statement.on_conflict_do_update(index_elements=["workflow_id", "step_id"], set_=values, where=replaced)
        )
        session.commit()


def unpin(session: Session, workflow_id: UUID, step_id: str) -> None:
    """Commits. Raises NotFound."""
    gone = session.execute(
        delete(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id, PinnedOutput.step_id == step_id)
    )
    session.commit()
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound(sentence("nothing is pinned there"))
