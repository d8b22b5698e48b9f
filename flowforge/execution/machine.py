"""The state machine of an execution. docs/execution-states.md draws the transitions, with the same letters.

A  begin          PENDING  -> RUNNING     a step has to be tried, or waited for
B  begin          PENDING  -> COMPLETED   nothing has
C  step succeeded RUNNING  -> RUNNING     another step follows
D  step succeeded RUNNING  -> COMPLETED   it was the last, or a STOP follows
E  step failed    RUNNING  -> RUNNING     it is tried again, or its onError goes on
F  step failed    RUNNING  -> FAILED      neither
G  cancel         PENDING, RUNNING -> CANCELLED

An approval that is refused is F, unless its `onReject` goes on (C), or is a list, whose end is that of the frame (D).

COMPLETED, FAILED and CANCELLED are terminal: no fact changes them. A fact about anything but the step now due in its
frame is stale and changes nothing.

Steps that only steer (BRANCH, `when`, opening a block, STOP, RESPOND) and those whose output is pinned happen on the
way; the machine goes on until every frame it can advance has a step to be tried, a wait, or an end. It holds only the
frames that a fact is about: what else it needs, it requests (`entering`, `closing`), and gets as a further fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowforge import jsonio
from flowforge.execution.block import BlockFailed, Following
from flowforge.execution.blocks import behaviour_of, frame_behaviour_of
from flowforge.execution.commands import Effects, OpenFrames, StartStep, Wait
from flowforge.execution.conditions import holds
from flowforge.execution.context import closure, scope, step_context
from flowforge.execution.retry import Failure, is_pause, retry_at
from flowforge.execution.state import (
    ROOT,
    BlockKey,
    EndedFrame,
    Frame,
    FrameStatus,
    OpenBlock,
    Status,
    StepEnded,
)
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.bodies import BodyKind
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.plan import Body, OnError, Plan, Step

_ENTERED_AT_ONCE = 500
"""Frames that one run of the machine begins; a loop that needs no executor goes on in another run."""
_MOST_FRAMES = 2**31 - 1
"""The highest number of a frame that the tables and the topics can hold."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The machine's inputs besides the plan."""

    defaults: RetryPolicy
    """The policy of steps without a retry of their own."""
    now: datetime
    chance: float
    """A random number in [0, 1) that spreads retries."""
    output_limit: int
    """Bytes of JSON that a block may collect."""


@dataclass(slots=True)
class Run:
    """An execution, as far as it is loaded, and what the facts lead to. `around` gives the roots of
    expressions that do not come from the execution's data (`workflow`, `execution`, `now`, ...), for a frame."""

    plan: Plan
    rules: Rules
    trigger: Mapping[str, Any]
    around: Callable[[int], Mapping[str, Any]]
    status: Status = Status.PENDING
    error: Mapping[str, Any] | None = None
    result: Any = None
    """The result of a completed execution, for a workflow that called it."""
    frames: dict[int, Frame] = field(default_factory=dict)
    blocks: dict[BlockKey, OpenBlock] = field(default_factory=dict)
    next_frame: int = 1
    effects: Effects = field(default_factory=Effects)
    entered: int = 0

    @property
    def why_overdue(self) -> str:
        """The error of an execution whose time limit is over."""
        return f"the execution took longer than its limit of {self.plan.settings.timeout or 0:g} seconds"

    # Facts

    def begin(self) -> None:
        """A, B: an accepted event becomes a running execution."""
        self.status = Status.RUNNING
        frame = self.frames[ROOT] = Frame()
        self._go(frame, self.plan.root, self.plan.root.first)

    def begin_at(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """A, B, from a step in the workflow's own frame on, with recorded outputs of the steps before it."""
        self.status = Status.RUNNING
        frame = self.frames[ROOT] = Frame()
        for key, output in outputs.items():
            frame.record(key, output)
        self._go(frame, step.body, step)

    def step_ended(self, fact: StepEnded) -> bool:
        """C, D, E, F, by the plan of the version the execution is pinned to. False where the fact was stale."""
        frame = self.frames.get(fact.iteration)
        step = self.plan.step(fact.step_index)
        if self.status is not Status.RUNNING or frame is None or step is None:
            return False
        if frame.status is not FrameStatus.RUNNING or frame.current_step != fact.step_index:
            return False
        if step.has_frames:
            return self._rest_ended(self.blocks[frame.number, step.index], fact)
        if fact.failure is not None:
            self._attempt_failed(frame, step, fact, fact.failure)
        else:
            frame.record(step.key, dict(fact.output))
            self._follow(frame, self._leave(frame, step))
        return True

    def _rest_ended(self, block: OpenBlock, fact: StepEnded) -> bool:
        if fact.attempt != block.begun + 1:
            return False
        self.entered = 0
        self.begin_frames(block)
        return True

    def frame_entered(self, number: int) -> None:
        """A frame was loaded, to begin."""
        frame = self.frames[number]
        if self.status is not Status.RUNNING:
            return
        frame.status = FrameStatus.RUNNING
        body = self._body_of(frame)
        self._go(frame, body, body.first)

    def block_ended(self, key: BlockKey, ended: Sequence[EndedFrame]) -> None:
        """The frame in which the block stands was loaded, with what its frames gave (those that ended, in order)."""
        block, frame = self.blocks[key], self.frames[key[0]]
        step = self.plan.step(key[1])
        if self.status is not Status.RUNNING or step is None:
            return
        if block.error is not None:
            self._failed(frame, step, block.error)
            return
        try:
            output = self._output_of_block(frame, step, block, ended)
        except BlockFailed as error:
            self._failed(frame, step, self.error_of(step, frame, str(error)))
            return
        frame.record(step.key, output)
        self._go(frame, step.body, step.next)

    def cancel(self) -> bool:
        """G. The action that is running is not interrupted; its result comes too late."""
        if self.status.terminal:
            return False
        self.status = Status.CANCELLED
        return True

    # Going on

    def _follow(self, frame: Frame, following: Following) -> None:
        if following is not None:
            self._go(frame, *following)

    def _go(self, frame: Frame, body: Body, step: Step | None) -> None:
        """Goes through the body from that step on (None: its end), until something has to be awaited."""
        while True:
            if step is None:
                body = _ended_with(body)
                owner = body.owner
                if owner is None or body.kind.has_frames:
                    self._frame_over(frame, body)
                    return
                body, step = owner.body, owner.next
                continue
            frame.current_step = step.index
            try:
                following = self._take(frame, step)
            except (ExpressionError, ConfigUnusable, BlockFailed) as error:
                following = self._handled(frame, step, self.error_of(step, frame, _message(error, step)))
            if following is None:
                return
            body, step = following

    def _take(self, frame: Frame, step: Step) -> Following:
        """Carries out the step, or skips it."""
        if not self._runs(frame, step):
            return step.body, step.next
        if step.pinned is not None:
            frame.record(step.key, dict(step.pinned))
            return self._leave(frame, step)
        return self._enter(frame, step)

    def _leave(self, frame: Frame, step: Step) -> Following:
        behaviour = behaviour_of(step)
        return behaviour.leave(self, frame, step) if behaviour else (step.body, step.next)

    def _runs(self, frame: Frame, step: Step) -> bool:
        return step.when is None or holds(self.value(frame, step, step.when, "when"))

    def _enter(self, frame: Frame, step: Step) -> Following:
        behaviour = behaviour_of(step)
        if behaviour is not None:
            return behaviour.enter(self, frame, step)
        self.effects.starts.append(StartStep(step.index, iteration=frame.number))
        return None

    # Frames and their blocks

    def open_block(
        self,
        frame: Frame,
        step: Step,
        items: Sequence[Any],
        *,
        at_once: int,
        reserved: int = 0,
        memory: Mapping[str, Any] | None = None,
    ) -> Following:
        """See flowforge.execution.block.Machine."""
        inside = closure(self.plan, step, self._context(frame, step))
        block = OpenBlock(frame.number, step.index, self.next_frame, len(items), at_once, inside, memory=memory)
        if not items or not step.bodies:
            frame.record(step.key, frame_behaviour_of(step).output(self, frame, step, block, []))
            return step.body, step.next
        self.next_frame += max(reserved, block.total)
        if self.next_frame > _MOST_FRAMES:
            raise ConfigUnusable("the execution has gone through more items and rounds than one execution can")
        self.blocks[block.key] = block
        self.effects.opened.append(OpenFrames(block, 0, items))
        self.begin_frames(block)
        return None

    def add_frame(self, block: OpenBlock, item: Any) -> None:
        """See flowforge.execution.block.Machine."""
        self.effects.opened.append(OpenFrames(block, block.total, [item]))
        block.total += 1

    def begin_frames(self, block: OpenBlock) -> None:
        """See flowforge.execution.block.Machine."""
        while block.error is None and block.begun < block.total and block.running < block.at_once:
            if self.entered >= _ENTERED_AT_ONCE:
                if block.running == 0:
                    self.begin_frames_later(block, self.rules.now)
                return
            self.entered += 1
            self.effects.entering.append(block.first_frame + block.begun)
            block.begun += 1
        if block.running == 0:
            self.effects.closing.append(block.key)

    def begin_frames_later(self, block: OpenBlock, due_at: datetime) -> None:
        """See flowforge.execution.block.Machine."""
        wait = Wait(block.step_index, block.frame, due_at, "continue", attempt=block.begun + 1)
        self.effects.waits.append(wait)

    def _frame_over(self, frame: Frame, body: Body) -> None:
        """The last step of a list is over that has no owner in its frame."""
        owner = body.owner
        if frame.block is None or owner is None:
            self.result = self.last_output(frame, body)
            self.end(Status.COMPLETED)
            return
        block, behaviour = self.blocks[frame.block], frame_behaviour_of(owner)
        try:
            frame.result = behaviour.result(self, frame, owner, block)
        except (ExpressionError, ConfigUnusable) as error:
            self._frame_failed(frame, self.error_of(owner, frame, _message(error, owner)))
            return
        frame.status = FrameStatus.COMPLETED
        block.ended += 1
        behaviour.advance(self, block)

    def _frame_failed(self, frame: Frame, error: Mapping[str, Any]) -> None:
        assert frame.block is not None
        block, owner = self.blocks[frame.block], self._owner(frame)
        frame.status, frame.error = FrameStatus.FAILED, error
        block.ended += 1
        block.failed += 1
        first = block.failed_position is None or frame.position < block.failed_position
        if first and not frame_behaviour_of(owner).tolerates_failure(owner):
            block.failed_position, block.error = frame.position, error
        self.begin_frames(block)

    def _owner(self, frame: Frame) -> Step:
        """The step whose block opened the frame."""
        assert frame.block is not None
        step = self.plan.step(frame.block[1])
        assert step is not None
        return step

    def _body_of(self, frame: Frame) -> Body:
        owner = self._owner(frame)
        return frame_behaviour_of(owner).body(owner, frame)

    def _output_of_block(self, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        """Raises BlockFailed."""
        output = frame_behaviour_of(step).output(self, frame, step, block, ended)
        try:
            return self.keepable(output, "what it collected")
        except ConfigUnusable as error:
            raise BlockFailed(f"{error}: let `collect` keep less") from error

    # Errors

    def _attempt_failed(self, frame: Frame, step: Step, fact: StepEnded, failure: Failure) -> None:
        if step.block is None:
            policy = step.retry or self.rules.defaults
            pauses = fact.pauses + is_pause(failure, fact.pauses)
            again = retry_at(policy, fact.attempt - pauses, failure, self.rules.now, self.rules.chance)
            if again is not None:
                retry = StartStep(step.index, fact.attempt + 1, frame.number, again, fact.repeated_by_next, pauses)
                self.effects.starts.append(retry)
                return
        self._failed(frame, step, self.error_of(step, frame, failure.message, fact.attempt))

    def _failed(self, frame: Frame, step: Step, error: Mapping[str, Any]) -> None:
        self._follow(frame, self._handled(frame, step, error))

    def _handled(self, frame: Frame, step: Step, error: Mapping[str, Any]) -> Following:
        """The point where it goes on after the step failed for good; None where that ends its frame, or all of it."""
        if step.on_error is OnError.CONTINUE:
            frame.record(step.key, {"error": error})
            return step.body, step.next
        if step.on_error is OnError.HANDLE and step.handler is not None:
            frame.record(step.key, {"error": error})
            return step.handler, step.handler.first
        return self._handled_around(frame, step.body, error)

    def _handled_around(self, frame: Frame, body: Body, error: Mapping[str, Any]) -> Following:
        """The point where it goes on after a step of the list failed for good, which does not handle that itself."""
        while body.kind.is_aside and body.owner is not None:
            body = body.owner.body  # what fails inside a handler is not handled by it
        if body.kind.has_frames:
            self._frame_failed(frame, error)
            return None
        if body.owner is None:
            self.end(Status.FAILED, error)
            return None
        return self._handled(frame, body.owner, error)

    def reject(self, frame: Frame, step: Step, message: str) -> Following:
        """See flowforge.execution.block.Machine."""
        return self._handled_around(frame, step.body, self.error_of(step, frame, message))

    def end(self, status: Status, error: Mapping[str, Any] | None = None) -> None:
        """See flowforge.execution.block.Machine."""
        self.status, self.error = status, error
        root = self.frames.get(ROOT)
        if status is Status.COMPLETED and root is not None:
            root.current_step = self.plan.length

    def error_of(self, step: Step, frame: Frame, message: str, attempt: int = 1) -> JsonObject:
        """See flowforge.execution.block.Machine."""
        error = {"step": step.id, "stepIndex": step.index, "message": jsonio.writable(message), "attempt": attempt}
        if frame.block is None:
            return error
        return error | frame_behaviour_of(self._owner(frame)).position(frame)

    # Data

    @property
    def now(self) -> datetime:
        """The time by which the machine decides."""
        return self.rules.now

    def _context(self, frame: Frame, step: Step) -> JsonObject:
        block = self.blocks[frame.block] if frame.block else None
        return step_context(self.plan, step, frame, block, self.trigger)

    def value(self, frame: Frame, step: Step, value: Any, field: str) -> Any:
        """See flowforge.execution.block.Machine."""
        if not step.templated:
            return value
        roots = scope(self.plan, self._context(frame, step), self.around(frame.number))
        return resolve(value, roots, step=step.id, field=field)

    def config(self, frame: Frame, step: Step, *, outputs: int = 1) -> Any:
        """See flowforge.execution.block.Machine."""
        assert step.block is not None
        deferred = {name: value for name, value in step.config.items() if name in step.deferred_fields}
        written = {name: value for name, value in step.config.items() if name not in deferred}
        config = self.value(frame, step, written, "config")
        _check_size(config, "its config, with its expressions resolved,", self.rules.output_limit * outputs)
        return step.block.parse({**config, **deferred})

    def keepable(self, value: Any, what: str) -> Any:
        """See flowforge.execution.block.Machine."""
        _check_size(value, what, self.rules.output_limit)
        return value

    def last_output(self, frame: Frame, body: Body) -> Any:
        """See flowforge.execution.block.Machine. Where the step went into another list in the same frame, what that
        list gave counts, where it gave anything."""
        for step in reversed(body.steps):
            output = frame.outputs.get(step.key)
            if output is not None:
                taken = _body_taken(step, output)
                inner = self.last_output(frame, taken) if taken else None
                return output if inner is None else inner
        return None


def _ended_with(body: Body) -> Body:
    """The list that is over when this one is: after a rejection, the one that the frame runs."""
    if body.kind is not BodyKind.REJECTION:
        return body
    while body.owner is not None and not body.kind.has_frames:
        body = body.owner.body
    return body


def _body_taken(step: Step, output: Mapping[str, Any]) -> Body | None:
    if step.handler is not None and "error" in output:
        return step.handler
    behaviour = behaviour_of(step)
    return behaviour.body_taken(step, output) if behaviour else None


def _check_size(value: Any, what: str, limit: int) -> None:
    """Raises ConfigUnusable where the value, as JSON, has more bytes than the limit, or cannot be written as JSON."""
    try:
        jsonio.dumps_within(value, limit, carried=True)
    except jsonio.TooLarge as error:
        raise ConfigUnusable(f"{what} has {error}") from error
    except TypeError as error:
        raise ConfigUnusable(f"{what} cannot be written as JSON: {jsonio.why_not_json(error)}") from error


def _message(error: Exception, step: Step) -> str:
    return str(error) if isinstance(error, ExpressionError) else f"step '{step.id}': {error}"
