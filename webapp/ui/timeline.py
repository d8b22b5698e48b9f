"""When each step waited and worked, as bars on one scale: drawn here, so that it needs no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowforge.db.tables import ExecutionRow, StepAttempt
from webapp.ui.steps import Step
from webapp.ui.text import duration

WIDTH = 1000
_NARROWEST = 3


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    state: str
    says: str


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Timeline:
    rows: Sequence[Row]
    spans: timedelta


def timeline_of(execution: ExecutionRow, steps: Sequence[Step], now: datetime | None = None) -> Timeline | None:
    """None while nothing has begun."""
    tried = [step for step in steps if step.attempts]
    if not tried:
        return None
    begun = execution.created_at
    ended = max(
        [execution.finished_at or now or datetime.now(UTC)]
        + [attempt.finished_at for step in tried for attempt in step.attempts if attempt.finished_at]
    )
    spans = max(ended - begun, timedelta(milliseconds=1))
    scale = _Scale(begun, spans)
    rows = [
        Row(step.title, [bar for attempt in step.attempts for bar in _bars(attempt, ended, scale)]) for step in tried
    ]
    return Timeline(rows, spans)


@dataclass(frozen=True, slots=True)
class _Scale:
    begun: datetime
    spans: timedelta

    def bar(self, start: datetime, end: datetime, state: str, says: str) -> Bar:
        x = min(max((start - self.begun) / self.spans, 0.0), 1.0) * WIDTH
        width = max((end - start) / self.spans * WIDTH, _NARROWEST)
        x = min(x, WIDTH - _NARROWEST)
        return Bar(round(x, 1), round(min(width, WIDTH - x), 1), state, says)


def _bars(attempt: StepAttempt, ended: datetime, scale: _Scale) -> Iterator[Bar]:
    number = f"attempt {attempt.attempt}" + (f" of run {attempt.iteration}" if attempt.iteration else "")
    started = attempt.started_at
    waited_until = started or attempt.finished_at or ended
    if waited_until - attempt.due_at > scale.spans / 500:
        yield scale.bar(
            attempt.due_at, waited_until, "QUEUED", f"{number}: waited {duration(waited_until - attempt.due_at)}"
        )
    if started is None:
        return
    until = attempt.finished_at or ended
    state = {True: "SUCCEEDED", False: "FAILED", None: "RUNNING"}[attempt.succeeded]
    yield scale.bar(started, until, state, f"{number}: {state.lower()}, {duration(until - started)}")
