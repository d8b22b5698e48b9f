"""A timeline: when each step waited and worked, as bars on one scale, drawn here so that it needs no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowforge.execution.state import AttemptState
from flowforge.executions.frame_progress import LoopSpan
from flowforge.executions.views import AttemptView, ExecutionView
from webapp.translation.texts import gettext
from webapp.ui.state_names import state_name
from webapp.ui.steps import Step
from webapp.ui.text import duration

WIDTH = 1000
_NARROWEST = 3
Spans = Mapping[tuple[int, int], LoopSpan]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    state: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    depth: int
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Timeline:
    rows: Sequence[Row]
    spans: timedelta


def timeline_of(
    execution: ExecutionView, steps: Sequence[Step], loops: Spans, now: datetime | None = None
) -> Timeline | None:
    """Draw the timeline of a frame's steps; None while nothing has begun."""
    tried = [(depth, step) for depth, step in _with_depth(steps) if step.attempts or _span(step, loops)]
    if not tried:
        return None
    scale = _Scale.over(execution, [step for _, step in tried], loops, now or datetime.now(UTC))
    rows = [Row(step.title, depth, list(_bars_of(step, loops, scale))) for depth, step in tried]
    return Timeline(rows, scale.spans)


def _with_depth(steps: Sequence[Step], depth: int = 0) -> Iterator[tuple[int, Step]]:
    for step in steps:
        yield depth, step
        for lane in step.lanes:
            yield from _with_depth(lane.steps, depth + 1)


@dataclass(frozen=True, slots=True)
class _Scale:
    begun: datetime
    ended: datetime

    @classmethod
    def over(cls, execution: ExecutionView, steps: Sequence[Step], loops: Spans, now: datetime) -> _Scale:
        """The span from the first beginning to the last end; what is still running reaches to now."""
        marks = [execution.finished_at or now]
        begun = []
        for step in steps:
            begun += [attempt.due_at for attempt in step.attempts if attempt.state != AttemptState.WAITING]
            marks += [attempt.finished_at for attempt in step.attempts if attempt.finished_at]
            span = _span(step, loops)
            if span is not None:
                begun += [span.begun] if span.begun else []
                marks += [span.ended] if span.ended else []
        whole = any(step.frame == 0 for step in steps)
        start = execution.created_at if whole else min(begun, default=execution.created_at)
        end = max(marks) if whole or not all(_is_over(step) for step in steps) else max(marks[1:], default=marks[0])
        return cls(start, max(end, start + timedelta(milliseconds=1)))

    @property
    def spans(self) -> timedelta:
        return self.ended - self.begun

    def bar(self, start: datetime, end: datetime, state: str, label: str) -> Bar:
        x = min(max((start - self.begun) / self.spans, 0.0), 1.0) * WIDTH
        width = max((end - start) / self.spans * WIDTH, _NARROWEST)
        x = min(x, WIDTH - _NARROWEST)
        return Bar(round(x, 1), round(min(width, WIDTH - x), 1), state, label)


def _is_over(step: Step) -> bool:
    return not step.attempts or step.attempts[-1].finished_at is not None


def _span(step: Step, loops: Spans) -> LoopSpan | None:
    span = loops.get((step.frame, step.index)) if step.frame is not None else None
    return span if span and span.begun else None


def _bars_of(step: Step, loops: Spans, scale: _Scale) -> Iterator[Bar]:
    span = _span(step, loops)
    if span is not None and span.begun is not None:
        until = scale.ended if span.ended is None or step.state == "RUNNING" else span.ended
        yield scale.bar(span.begun, until, step.state, f"{step.title}: {duration(until - span.begun)}")
    for attempt in step.attempts:
        yield from _bars(attempt, scale)


def _bars(attempt: AttemptView, scale: _Scale) -> Iterator[Bar]:
    number = gettext("attempt %(number)s", number=attempt.attempt)
    started = attempt.started_at
    if attempt.waiting is not None:
        begun, until = started or scale.begun, attempt.finished_at or scale.ended
        yield scale.bar(begun, until, "QUEUED", gettext("waited %(time)s", time=duration(until - begun)))
        return
    waited_until = started or attempt.finished_at or scale.ended
    if waited_until - attempt.due_at > scale.spans / 500:
        waited = duration(waited_until - attempt.due_at)
        yield scale.bar(attempt.due_at, waited_until, "QUEUED", f"{number}: {gettext('waited %(time)s', time=waited)}")
    if started is None:
        return
    until = attempt.finished_at or scale.ended
    state = {True: "SUCCEEDED", False: "FAILED", None: "RUNNING"}[attempt.succeeded]
    yield scale.bar(started, until, state, f"{number}: {state_name(state)}, {duration(until - started)}")
