"""An execution's steps as its page shows them, from its definition, its attempts and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowforge.db.tables import AttemptState, ExecutionRow, StepAttempt

OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Step:
    index: int
    type: str
    id: str | None
    name: str | None
    state: str
    attempts: Sequence[StepAttempt]
    has_output: bool
    output: Any
    error: str | None
    retry_at: datetime | None

    @property
    def took(self) -> timedelta | None:
        """From the first attempt's start to the last one's end."""
        begun = [attempt.started_at for attempt in self.attempts if attempt.started_at]
        ended = self.attempts[-1].finished_at if self.attempts else None
        return ended - begun[0] if begun and ended else None


def steps_of(
    execution: ExecutionRow, actions: Sequence[Mapping[str, Any]], attempts: Sequence[StepAttempt]
) -> list[Step]:
    """Every step there is to show, also where the definition is not known any more."""
    highest = max((attempt.step_index for attempt in attempts), default=-1)
    count = max(len(actions), highest + 1)
    return [
        _step(
            index,
            execution,
            actions[index] if index < len(actions) else {},
            [attempt for attempt in attempts if attempt.step_index == index],
        )
        for index in range(count)
    ]


def _step(index: int, execution: ExecutionRow, action: Mapping[str, Any], attempts: Sequence[StepAttempt]) -> Step:
    last = attempts[-1] if attempts else None
    state = _state_tried(execution, last) if last else _state_untried(index, execution, action)
    outputs = execution.step_outputs or {}
    key = f"step_{index}"
    return Step(
        index=index,
        type=str(action.get("type", "")),
        id=action.get("id"),
        name=action.get("name"),
        state=state,
        attempts=attempts,
        has_output=key in outputs,
        output=outputs.get(key),
        error=_message(last.error) if last and state in {"FAILED", "RETRYING"} else None,
        retry_at=last.due_at if last and last.state == AttemptState.QUEUED and last.attempt > 1 else None,
    )


def _state_tried(execution: ExecutionRow, last: StepAttempt) -> str:
    if last.succeeded is not None:
        return "SUCCEEDED" if last.succeeded else _after_failure(execution)
    if execution.status in OVER:
        return "CANCELLED"
    if last.state == AttemptState.RUNNING:
        return "RUNNING"
    return "RETRYING" if last.attempt > 1 else "QUEUED"


def _after_failure(execution: ExecutionRow) -> str:
    return execution.status if execution.status in {"FAILED", "CANCELLED"} else "RETRYING"


def _state_untried(index: int, execution: ExecutionRow, action: Mapping[str, Any]) -> str:
    if action.get("enabled") is False:
        return "SKIPPED"
    if f"step_{index}" in (execution.step_outputs or {}):
        return "SUCCEEDED"
    return "NOT_RUN" if execution.status in OVER else "WAITING"


def _message(error: Any) -> str | None:
    return str(error.get("message", "")) or None if isinstance(error, dict) else None
