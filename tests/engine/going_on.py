"""Executions that go on, as an executor stores them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flowforge.db.going_on_store import GoneOn
from flowforge.execution.state import Status


def completed(execution_id: UUID) -> GoneOn:
    """One whose only step has succeeded."""
    return GoneOn(
        execution_id,
        step_index=0,
        attempt=1,
        began=datetime.now(UTC),
        status=Status.COMPLETED,
        current_step=1,
        outputs={"step_0": {}},
        outputs_order=None,
        result=None,
        result_order=None,
        finished=True,
        attempts=[],
    )
