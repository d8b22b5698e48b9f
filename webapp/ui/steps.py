"""An execution's steps as its page shows them: the flow as it was written, each step with how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flowforge.connectors.catalog import Catalog
from flowforge.execution.state import AttemptState
from flowforge.executions.frame_progress import FrameLook
from flowforge.executions.views import AttemptView, BlockView, ExecutionView
from flowforge.executions.waits import RESUMABLE
from flowforge.executions.written_steps import WrittenList, WrittenStep
from flowforge.language.bodies import BodyKind
from flowforge.language.decisions import Decision
from flowforge.language.definition import ActionDefinition
from flowforge.language.plan import can_be_pinned
from webapp.ui.kinds import kind_of, title_of, title_of_list

OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Lane:
    """A list of steps inside a step. `taken` is None where all of them run."""

    kind: str
    """A BodyKind's value."""
    title: str
    taken: bool | None
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Loop:
    """Progress of a loop: how many of its frames have ended."""

    noun: str
    """The name of one run: an item, a round."""
    frame: int
    total: int
    ended: int
    failed: int
    shown: int | None
    """The position of the run whose steps are shown; None where each has a page of its own."""

    @property
    def succeeded(self) -> int:
        return self.ended - self.failed


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of a list that were read. `items` is None while more are read."""

    read: int
    items: int | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    index: int
    id: str
    """The name by which expressions refer to it."""
    frame: int | None
    """None for what is inside a loop: each run of it has its own page."""
    title: str
    kind: str
    """The title of its type."""
    icon: str
    state: str
    attempts: Sequence[AttemptView] = ()
    """The newest of them."""
    config: Mapping[str, Any] | None = None
    has_output: bool = False
    output: Any = None
    error: str | None = None
    decision: Decision | None = None
    """What a person decided whom it asked."""
    loop: Loop | None = None
    pages: Pages | None = None
    """How much was read of a list, where the step reads one page by page."""
    child: UUID | None = None
    """The execution that it has started."""
    lanes: Sequence[Lane] = field(default_factory=list)
    can_be_pinned: bool = False
    """Whether its output can stand for it in tests."""

    @property
    def took(self) -> timedelta | None:
        """The time from the first attempt's start to the last one's end."""
        begun = next((attempt.started_at for attempt in self.attempts if attempt.started_at), None)
        ended = self.attempts[-1].finished_at if self.attempts else None
        return ended - begun if begun and ended else None

    @property
    def retry_at(self) -> datetime | None:
        last = self.attempts[-1] if self.attempts else None
        return last.due_at if last and last.state == AttemptState.QUEUED and last.attempt > 1 else None

    @property
    def turn_at(self) -> datetime | None:
        """The time of its turn, where its connection has to wait."""
        last = self.attempts[-1] if self.attempts else None
        is_first = last is not None and last.state == AttemptState.QUEUED and last.attempt == 1
        return last.due_at if last and is_first and last.due_at > datetime.now(UTC) else None

    @property
    def wait(self) -> AttemptView | None:
        """The wait it rests in."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.state == AttemptState.WAITING and self.state == "WAITING" else None

    @property
    def awaits_answer(self) -> bool:
        return self.wait is not None and self.wait.waiting is not None and self.wait.waiting.kind in RESUMABLE

    def all(self) -> Iterator[Step]:
        """Itself and every step inside it."""
        yield self
        for lane in self.lanes:
            for step in lane.steps:
                yield from step.all()


ShownRun = Callable[[BlockView], int | None]
"""The position of the run of a loop that is shown; None where none is."""


def no_run(_: BlockView) -> None:
    return None


class Flow:
    """Joins the progress of an execution's frames with its written steps."""

    def __init__(
        self,
        execution: ExecutionView,
        looks: Mapping[int, FrameLook],
        called: Mapping[tuple[int, int], UUID],
        catalog: Catalog,
        shown_run: ShownRun = no_run,
    ) -> None:
        self._execution = execution
        self._looks = looks
        self._called = called
        self._catalog = catalog
        self._shown_run = shown_run

    def steps(self, written: Sequence[WrittenStep], frame: int | None) -> list[Step]:
        look = self._looks.get(frame) if frame is not None else None
        return [self._step(step, look) for step in written]

    def _step(self, written: WrittenStep, look: FrameLook | None) -> Step:
        action, index = written.action, written.index
        block = look.blocks.get(index) if look else None
        attempts = _shown_attempts(index, look) if look else ()
        outputs = look.outputs if look else {}
        key = f"step_{index}"
        decision = written.decision(outputs.get(key))
        state = self._state(action, index, look, decision)
        config = action.config
        kind = kind_of(self._catalog, action.type)
        return Step(
            index=index,
            id=written.id,
            frame=look.number if look else None,
            title=title_of(self._catalog, action.type, action.name, action.id),
            kind=kind.title,
            icon=kind.icon,
            state=state,
            attempts=attempts,
            config=self._catalog.mask(action.type, config) if config else None,
            has_output=key in outputs,
            output=outputs.get(key),
            error=_error(attempts, look, index, block) if state in {"FAILED", "RETRYING", "HANDLED"} else None,
            decision=decision,
            loop=_loop(written, block, self._shown_run) if block else None,
            pages=_pages(outputs.get(key), look.parts.get(index) if look else None),
            child=self._called.get((look.number, index)) if look else None,
            lanes=[self._lane(written, inner, look) for inner in written.inside],
            can_be_pinned=bool(action.id) and can_be_pinned(action.type),
        )

    def _lane(self, written: WrittenStep, inner: WrittenList, look: FrameLook | None) -> Lane:
        title = title_of_list(written.action.type, inner.body.kind, inner.name)
        steps = self.steps(inner.steps, self._frame_of(written, inner, look))
        return Lane(inner.body.kind.value, title, _is_taken(written, inner, look), steps)

    def _frame_of(self, owner: WrittenStep, inner: WrittenList, look: FrameLook | None) -> int | None:
        """The frame in which the list runs; None where it runs in none yet, or in many of which none is shown."""
        if look is None or not inner.body.kind.has_frames:
            return look.number if look else None
        opened = look.blocks.get(owner.index)
        if opened is None:
            return None
        position = self._shown_run(opened) if inner.body.kind is BodyKind.LOOP else inner.body.number
        return None if position is None else opened.first_frame + position

    def _state(self, action: ActionDefinition, index: int, look: FrameLook | None, decision: Decision | None) -> str:
        if not action.runs:
            return "DISABLED"
        if look is None:
            return ""
        attempts = look.attempts.get(index)
        if decision and not (decision.approved or _is_why_failed(index, look)):
            return "REJECTED"
        if attempts and index not in look.blocks:
            return self._state_tried(index, look, attempts[-1])
        if f"step_{index}" in look.outputs:
            return "HANDLED" if _is_handled(look.outputs[f"step_{index}"]) else "SUCCEEDED"
        if index in look.blocks:
            return _state_of_block(look.blocks[index], look, self._execution)
        return _state_untouched(index, look)

    def _state_tried(self, index: int, look: FrameLook, last: AttemptView) -> str:
        if last.succeeded is True:
            return "FAILED" if _is_why_failed(index, look) else "SUCCEEDED"
        if last.succeeded is False:
            if f"step_{index}" in look.outputs:
                return "HANDLED"
            return "CANCELLED" if self._execution.status == "CANCELLED" else "FAILED" if look.over else "RETRYING"
        if look.over:
            return "CANCELLED"
        if last.state == AttemptState.WAITING:
            return "WAITING"
        if last.state == AttemptState.RUNNING:
            return "RUNNING"
        return "RETRYING" if last.attempt > 1 else "QUEUED"


def _is_why_failed(index: int, look: FrameLook) -> bool:
    """Whether the execution has failed by the step; one that was rejected has an output."""
    return look.over and (look.error or {}).get("stepIndex") == index


def _is_taken(owner: WrittenStep, inner: WrittenList, look: FrameLook | None) -> bool | None:
    """Whether the execution went into the list; None while that is undecided, and for lists that always run."""
    if look is None or inner.body.kind.has_frames:
        return None
    output = look.outputs.get(f"step_{owner.index}")
    if inner.body.kind is BodyKind.HANDLER:
        return _is_handled(output) if output or look.over else None
    if inner.body.kind is BodyKind.REJECTION:
        return output.get("approved") is False if isinstance(output, dict) else None
    return isinstance(output, dict) and output.get("branch") == inner.name if output else None


def _shown_attempts(index: int, look: FrameLook) -> Sequence[AttemptView]:
    """Select the attempts to show. A block that runs frames has an attempt for each rest between them: only the current
    one matters."""
    attempts = look.attempts.get(index, ())
    return (
        attempts
        if index not in look.blocks
        else [attempt for attempt in attempts if attempt.state == AttemptState.WAITING]
    )


def _state_of_block(block: BlockView, look: FrameLook, execution: ExecutionView) -> str:
    if not look.over:
        return "WAITING" if _shown_attempts(block.step_index, look) else "RUNNING"
    if (look.error or {}).get("stepIndex") == block.step_index:
        return "FAILED"
    return "FAILED" if block.failed and execution.status == "FAILED" else "CANCELLED"


def _state_untouched(index: int, look: FrameLook) -> str:
    if _is_why_failed(index, look):
        return "FAILED"
    if look.completed or index < look.current_step:
        return "SKIPPED"
    return "NOT_RUN" if look.over else "PLANNED"


def _is_handled(output: Any) -> bool:
    return isinstance(output, dict) and output.keys() == {"error"}


def _loop(written: WrittenStep, opened: BlockView, shown_run: ShownRun) -> Loop | None:
    if written.loop is None:
        return None
    return Loop(written.loop.noun, opened.frame, opened.total, opened.ended, opened.failed, shown_run(opened))


def _pages(output: Any, done: int | None) -> Pages | None:
    """`done`: the number of pages that are read while the step runs."""
    if done:
        return Pages(done)
    if not isinstance(output, dict) or not output.keys() >= {"items", "pages", "complete"}:
        return None
    items, pages = output["items"], output["pages"]
    is_list = isinstance(items, list) and isinstance(pages, int)
    return Pages(pages, len(items), bool(output["complete"])) if is_list else None


def _error(attempts: Sequence[AttemptView], look: FrameLook | None, index: int, block: BlockView | None) -> str | None:
    if attempts and not (look and attempts[-1].succeeded and _is_why_failed(index, look)):
        return _message(attempts[-1].error)
    if block is not None and block.error:
        return _message(block.error)
    handled = look.outputs.get(f"step_{index}") if look else None
    if isinstance(handled, dict) and _is_handled(handled):
        return _message(handled["error"])
    return _message(look.error) if look and (look.error or {}).get("stepIndex") == index else None


def _message(error: Any) -> str | None:
    return str(error.get("message", "")) or None if isinstance(error, dict) else None
