"""Payloads and outputs of the execution that a workflow is built on, and of its latest ones. The cost does not grow
with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.engine.plans import Plans, Version
from flowforge.field_order import restore
from flowforge.jsonio import JsonObject

_EXECUTIONS = 5
"""Executions that are searched: the latest may not have got far."""
_FRAMES = 200
"""Frames of each execution that are searched, the first ones."""

StepName = tuple[str, str]
"""Id and type: from version to version a step keeps these, not its number."""


@dataclass(frozen=True, slots=True)
class LastOutputs:
    """Data of several executions; of each item the latest."""

    trigger: JsonObject | None = None
    outputs: dict[StepName, JsonObject] = field(default_factory=dict)
    """Outputs by step; inside loops those of the first item."""
    items: dict[StepName, Any] = field(default_factory=dict)
    """The first item of each loop."""


def last_trigger(session: Session, workflow_id: UUID) -> JsonObject | None:
    """The first payload that is not empty: of the execution that the workflow is built on, else the latest."""
    rows = _executions(session, workflow_id, "trigger_payload, payload_order")
    return next((restore(row.trigger_payload, row.payload_order) for row in rows if row.trigger_payload), None)


def last_outputs(session: Session, workflow_id: UUID, *, in_loops: bool) -> LastOutputs:
    """Load them in at most three statements. `in_loops`: also the outputs of the steps inside loops."""
    columns = "id, version_id, trigger_payload, payload_order, step_outputs, outputs_order"
    rows = _executions(session, workflow_id, columns)
    versions = Plans().get(session.connection(), {row.version_id for row in rows if row.version_id})
    payloads = (restore(row.trigger_payload, row.payload_order) for row in rows if row.trigger_payload)
    found = LastOutputs(next(payloads, None))
    frames = _frames(session, [row.id for row in rows]) if in_loops and rows else []
    for row in rows:
        version = versions.get(row.version_id)
        if version is not None:
            _add(found, version, restore(row.step_outputs or {}, row.outputs_order))
            for frame in frames:
                if frame.execution_id == row.id:
                    _add_frame(found, version, frame)
    return found


def _executions(session: Session, workflow_id: UUID, columns: str) -> Sequence[Any]:
    """The execution that the workflow is built on, then the latest ones."""
    return (
        session.connection()
        .exec_driver_sql(
            f"""
        WITH built_on AS (
            SELECT x.* FROM workflow.workflows w JOIN orchestrator.workflow_executions x ON x.id = w.data_execution_id
            WHERE w.id = %(id)s AND x.workflow_id = w.id
        ), latest AS (
            SELECT * FROM orchestrator.workflow_executions WHERE workflow_id = %(id)s
            ORDER BY created_at DESC, id DESC LIMIT %(most)s
        )
        SELECT {columns} FROM (
            SELECT 0 AS place, built_on.* FROM built_on UNION ALL SELECT 1 AS place, latest.* FROM latest
        ) found
        ORDER BY place, created_at DESC, id DESC
        """,  # noqa: S608  (no input is in it)
            {"id": str(workflow_id), "most": _EXECUTIONS},
        )
        .all()
    )


def _add(found: LastOutputs, version: Version, outputs: JsonObject) -> None:
    for step in version.plan.steps:
        if step.key in outputs:
            found.outputs.setdefault((step.id, step.type), outputs[step.key])


def _add_frame(found: LastOutputs, version: Version, frame: Any) -> None:
    _add(found, version, restore(frame.outputs or {}, frame.outputs_order))
    block = version.plan.step(frame.block_step)
    if block is not None:
        found.items.setdefault((block.id, block.type), restore(frame.item, frame.item_order))


def _frames(session: Session, execution_ids: Sequence[UUID]) -> Sequence[Any]:
    """The first frame of each block."""
    return (
        session.connection()
        .exec_driver_sql(
            """
        SELECT x.id AS execution_id, f.block_step, f.item, f.item_order, f.outputs, f.outputs_order
        FROM unnest(%(ids)s::uuid[]) AS x(id) CROSS JOIN LATERAL (
            SELECT DISTINCT ON (block_step) *
            FROM (SELECT block_step, number, item, item_order, outputs, outputs_order FROM orchestrator.step_frames
                  WHERE execution_id = x.id ORDER BY number LIMIT %(most)s) first
            ORDER BY block_step, number
        ) f
        """,
            {"ids": [str(id_) for id_ in execution_ids], "most": _FRAMES},
        )
        .all()
    )
