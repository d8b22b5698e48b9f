"""The orchestrator knows the results again that it has applied itself."""

from __future__ import annotations

from uuid import UUID

from flowforge.engine.recent_results import RecentResults
from flowforge.events import ExecutionResult
from flowforge.ids import uuid7


def result(execution_id: UUID, attempt: int = 1) -> ExecutionResult:
    return ExecutionResult(
        execution_id=execution_id,
        workflow_id=uuid7(),
        user_id=uuid7(),
        step_index=0,
        attempt=attempt,
        status="SUCCESS",
    )


def test_a_result_that_comes_back_is_dropped_once() -> None:
    recent, applied, other = RecentResults(), result(uuid7()), result(uuid7())
    recent.add([applied])
    assert recent.drop_applied([applied, other]) == [other]
    assert recent.drop_applied([applied]) == [applied]


def test_another_attempt_of_the_same_step_is_another_result() -> None:
    recent, first = RecentResults(), result(uuid7())
    second = result(first.execution_id, attempt=2)
    recent.add([first])
    assert recent.drop_applied([second]) == [second]
