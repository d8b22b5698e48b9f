"""Workflows that call others: the event that a call becomes, and the result that the called execution's end becomes.

A call is kept in `awaited_by` of the event and of the called execution: {executionId, stepIndex, iteration} of the
step that awaits it, and `depth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flowforge.db.attempt_rows import AttemptResult, permanent_error
from flowforge.db.ending_store import EndedExecution
from flowforge.db.events_store import NewEvent
from flowforge.execution.commands import CallWorkflow
from flowforge.execution.state import Status
from flowforge.ids import uuid7

MOST_CALLS_DEEP = 10
"""Longest chain of workflows that call one another."""

AwaitedBy = Mapping[str, Any]


def is_call(awaited_by: AwaitedBy | None) -> bool:
    """Whether a step awaits the execution's end."""
    return "executionId" in (awaited_by or {})


def depth_of(awaited_by: AwaitedBy | None) -> int:
    """The length of the chain of calls that led to this execution."""
    return int((awaited_by or {}).get("depth", 0))


def call_event(
    call: CallWorkflow, execution_id: UUID, workflow_id: UUID, user_id: UUID, inherited: Mapping[str, Any]
) -> NewEvent:
    """The event by which an execution calls another workflow of its owner's. `inherited` is added to `awaited_by`."""
    caller = {"executionId": execution_id, "stepIndex": call.step_index, "iteration": call.iteration}
    return NewEvent(
        trigger_id=None,
        workflow_id=call.workflow_id,
        user_id=user_id,
        trigger_type="workflow",
        payload=call.payload,
        metadata={"source": "workflow", "workflowId": workflow_id, "executionId": execution_id},
        execution_id=uuid7(),
        awaited_by={**(caller if call.awaited else {}), **inherited},
    )


def refused_call(awaited_by: AwaitedBy, reason: str) -> AttemptResult:
    """The end of a step whose call led to no execution."""
    return _call_result(awaited_by, error=permanent_error(reason))


def ended_call(ended: EndedExecution) -> AttemptResult:
    """The end of the step that awaits this execution."""
    awaited_by = ended.awaited_by or {}
    if ended.status is Status.COMPLETED:
        return _call_result(awaited_by, output={"executionId": ended.execution_id, "result": ended.result})
    name = f"workflow '{ended.workflow_name}'" if ended.workflow_name else "the workflow that was called"
    reason = (ended.error or {}).get("message") or "it was cancelled"
    return _call_result(awaited_by, error=permanent_error(f"{name} did not complete: {reason}"))


def _call_result(
    awaited_by: AwaitedBy, output: Mapping[str, Any] | None = None, error: Mapping[str, Any] | None = None
) -> AttemptResult:
    execution_id, step_index, iteration = (awaited_by[key] for key in ("executionId", "stepIndex", "iteration"))
    return AttemptResult(UUID(str(execution_id)), step_index, iteration, 1, error is None, output, error)
