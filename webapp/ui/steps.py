"""An execution's steps as its page shows them, from its definition, its attempts and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowforge.connectors.catalog import Catalog
from flowforge.db.tables import AttemptState, ExecutionRow, StepAttempt
from flowforge.operations.overview import Written
from flowforge.operations.step_progress import StepFigures

OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
_ICONS = {"slack": "message", "globe": "globe", "shuffle": "shuffle", "mail": "mail", "table": "table"}


@dataclass(frozen=True, slots=True)
class Step:
    index: int
    type: str
    title: str
    depth: int
    icon: str
    state: str
    figures: StepFigures | None
    attempts: Sequence[StepAttempt]
    """The newest of them."""
    config: Mapping[str, Any] | None
    has_output: bool
    output: Any
    error: str | None
    retry_at: datetime | None

    @property
    def took(self) -> timedelta | None:
        """From the first attempt's start to the last one's end."""
        figures = self.figures
        if figures is None or figures.started_at is None or figures.finished_at is None or figures.under_way:
            return None
        return figures.finished_at - figures.started_at


def steps_of(
    execution: ExecutionRow,
    written: Sequence[Written],
    figures: Mapping[int, StepFigures],
    attempts: Mapping[int, Sequence[StepAttempt]],
    catalog: Catalog,
) -> list[Step]:
    """Every step there is to show, also where the definition is not known any more.

    Figures and attempts were read one after the other: an attempt that came in between is left for the next look.
    """
    count = max(len(written), max(figures, default=-1) + 1)
    unknown = Written({}, 0)
    return [
        _step(
            index,
            execution,
            written[index] if index < len(written) else unknown,
            figures.get(index),
            attempts.get(index, ()) if index in figures else (),
            catalog,
        )
        for index in range(count)
    ]


def _step(
    index: int,
    execution: ExecutionRow,
    written: Written,
    figures: StepFigures | None,
    attempts: Sequence[StepAttempt],
    catalog: Catalog,
) -> Step:
    action, last = written.action, attempts[-1] if attempts else None
    state = _state_tried(execution, figures, last) if last and figures else _state_untried(index, execution, action)
    outputs = execution.step_outputs or {}
    type_, config = str(action.get("type", "")), action.get("config")
    return Step(
        index=index,
        type=type_,
        title=str(action.get("name") or action.get("id") or type_ or f"Step {index + 1}"),
        depth=written.depth,
        icon=_ICONS.get(catalog.icon(type_) or "", "step"),
        state=state,
        figures=figures,
        attempts=attempts,
        config=catalog.mask(type_, config) if isinstance(config, dict) and config else None,
        has_output=f"step_{index}" in outputs,
        output=outputs.get(f"step_{index}"),
        error=_message(last.error) if last and state in {"FAILED", "RETRYING"} else None,
        retry_at=last.due_at if last and last.state == AttemptState.QUEUED and last.attempt > 1 else None,
    )


def _state_tried(execution: ExecutionRow, figures: StepFigures, last: StepAttempt) -> str:
    if figures.runs > 1 and figures.under_way and execution.status not in OVER:
        return "RUNNING"
    if last.succeeded is not None:
        return "SUCCEEDED" if last.succeeded else _after_failure(execution)
    if execution.status in OVER:
        return "CANCELLED"
    if last.state == AttemptState.RUNNING:
        return "RUNNING"
    return "RETRYING" if last.attempt > 1 else "QUEUED"


def _after_failure(execution: ExecutionRow) -> str:
    return "RETRYING" if execution.status not in OVER else "CANCELLED" if execution.status == "CANCELLED" else "FAILED"


def _state_untried(index: int, execution: ExecutionRow, action: Mapping[str, Any]) -> str:
    if action.get("enabled") is False:
        return "SKIPPED"
    if f"step_{index}" in (execution.step_outputs or {}):
        return "SUCCEEDED"
    return "NOT_RUN" if execution.status in OVER else "WAITING"


def _message(error: Any) -> str | None:
    return str(error.get("message", "")) or None if isinstance(error, dict) else None
