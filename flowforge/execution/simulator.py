"""An execution played through in memory: what `flowforge test` does, and what the machine is tested with.

Frames, waits and attempts are kept in dictionaries instead of tables; the caller says how steps end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flowforge.execution.commands import CallWorkflow, Effects, OpenFrames, Respond, StartStep, Wait
from flowforge.execution.context import scope, step_context
from flowforge.execution.machine import Rules, Run
from flowforge.execution.state import ROOT, BlockKey, EndedFrame, Frame, FrameStatus, Status, StepEnded
from flowforge.jsonio import JsonObject
from flowforge.language.definition import RetryPolicy
from flowforge.language.plan import Plan, Step

Awaited = StartStep | Wait | CallWorkflow


@dataclass(frozen=True, slots=True)
class Due:
    """Something the execution waits for: an attempt of a step, a wait, a call. `scope` is what its expressions see."""

    what: Awaited
    step: Step
    scope: Mapping[str, Any]

    @property
    def attempt(self) -> int:
        return 1 if isinstance(self.what, CallWorkflow) else self.what.attempt


@dataclass
class Simulation:
    """One execution. `due` holds what it waits for now; `end` says how one of these ended."""

    plan: Plan
    trigger: Mapping[str, Any]
    around: Mapping[str, Any] = field(default_factory=dict)
    defaults: RetryPolicy = RetryPolicy()  # noqa: RUF009  (frozen)
    output_limit: int = 10_000_000
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.due: deque[Due] = deque()
        self.response: Respond | None = None
        self._frames = FramesInMemory()
        self.run = Run(self.plan, self._rules(), self.trigger, lambda _: self.around)
        self.run.begin()
        self._settle()

    @property
    def status(self) -> Status:
        return self.run.status

    @property
    def error(self) -> Mapping[str, Any] | None:
        return self.run.error

    @property
    def result(self) -> Any:
        return self.run.result

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs of the root frame, as the column `step_outputs` holds them."""
        return self.run.frames[ROOT].outputs

    @property
    def current_step(self) -> int:
        return self.run.frames[ROOT].current_step

    def end(self, fact: StepEnded) -> bool:
        """False where the fact was stale."""
        self.run.entered = 0
        self.run.rules = self._rules()
        applied = self.run.step_ended(fact)
        self._settle()
        return applied

    def fail(self, message: str) -> None:
        """Ends it for a reason that is no step's."""
        self.run.status, self.run.error = Status.FAILED, {"message": message}
        self._settle()

    def play(self, ends: Callable[[Due], StepEnded], most: int = 1_000_000) -> None:
        """Plays until nothing is due. Raises RuntimeError when that takes more than `most` steps."""
        for _ in range(most):
            if not self.due:
                return
            self.end(ends(self.due.popleft()))
        raise RuntimeError(f"the execution did not end within {most} steps")

    def _rules(self) -> Rules:
        return Rules(self.defaults, self.clock(), 0.0, self.output_limit)

    def _settle(self) -> None:
        """Carries out the machine's commands, until all that is left are attempts, waits and calls."""
        run = self.run
        while True:
            effects, run.effects = run.effects, Effects()
            self.response = self.response or effects.response
            if run.status is not Status.RUNNING:
                self.due.clear()
                return
            self._keep(effects)
            if not effects.entering and not effects.closing:
                return
            for number in effects.entering:
                run.frames[number] = self._frames.waiting(number)
                run.frame_entered(number)
            for key in effects.closing:
                run.block_ended(key, ended_frames(run, key))

    def _keep(self, effects: Effects) -> None:
        self._frames.keep(effects.opened)
        awaited: list[Awaited] = [*effects.starts, *effects.waits, *effects.calls]
        for what in awaited:
            step = self.plan.step(what.step_index)
            assert step is not None
            self.due.append(Due(what, step, self._scope(step, what.iteration)))

    def _scope(self, step: Step, iteration: int) -> JsonObject:
        frame = self.run.frames[iteration]
        block = self.run.blocks[frame.block] if frame.block else None
        return scope(self.plan, step_context(self.plan, step, frame, block, self.trigger), self.around)


class FramesInMemory:
    """The frames that were opened and have not begun, as a table of frames would keep them."""

    def __init__(self) -> None:
        self._opened: dict[int, tuple[BlockKey, int, Any]] = {}

    def keep(self, opened: Iterable[OpenFrames]) -> None:
        for frames in opened:
            block = frames.block
            for position, item in enumerate(frames.items, frames.position):
                self._opened[block.first_frame + position] = (block.key, position, item)

    def waiting(self, number: int) -> Frame:
        block, position, item = self._opened[number]
        return Frame(number, block, position, FrameStatus.WAITING, item=item)


def ended_frames(run: Run, key: BlockKey) -> list[EndedFrame]:
    """The ends of the frames that the block has begun, all of which are over."""
    block = run.blocks[key]
    numbers = range(block.first_frame, block.first_frame + block.begun)
    return [_as_ended(run.frames[number]) for number in numbers]


def _as_ended(frame: Frame) -> EndedFrame:
    failed = frame.status is FrameStatus.FAILED
    return EndedFrame(frame.position, failed, {"error": frame.error} if failed else frame.result, frame.outputs)
