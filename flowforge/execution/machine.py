"""How an execution moves. The arrows are drawn, lettered alike, in docs/execution-states.md.

A  begin          PENDING  -> RUNNING     a step has to be tried, or waited for
B  begin          PENDING  -> COMPLETED   nothing has
C  step succeeded RUNNING  -> RUNNING     another step follows
D  step succeeded RUNNING  -> COMPLETED   it was the last, or a STOP follows
E  step failed    RUNNING  -> RUNNING     it is tried again, or its onError goes on
F  step failed    RUNNING  -> FAILED      neither
G  cancel         PENDING, RUNNING -> CANCELLED

COMPLETED, FAILED and CANCELLED are terminal: no fact moves them. A fact about anything but the step now due in its
frame is stale and changes nothing.

Steps that only steer (BRANCH, `when`, opening a block, STOP, RESPOND) and those whose output is pinned happen on the
way; the machine goes on until every frame it can move has a step to be tried, a wait, or an end. It holds only the
frames that a fact is about: what it needs besides, it asks for (`entering`, `closing`), and is told as a further fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flowforge import jsonio
from flowforge.execution.commands import CallWorkflow, Effects, OpenFrames, Respond, StartStep, Wait
from flowforge.execution.context import closure, scope, step_context
from flowforge.execution.retry import Failure, retry_at
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
from flowforge.language.blocks import (
    BLOCKS,
    BlockType,
    ConfigUnusable,
    ForEachConfig,
    RespondConfig,
    RunWorkflowConfig,
    StopConfig,
    WaitConfig,
)
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.unknown_values import Undecided, Unknown
from flowforge.language.plan import Body, BodyKind, OnError, Plan, Step

FOREVER = timedelta(days=30)
"""How long a call or a person is waited for where nothing else is said."""
_ENTERED_AT_ONCE = 500
"""Frames that one run of the machine begins; a loop that needs no executor goes on in another run."""
_LIST_PER_OUTPUT = 16
"""A list to go through may be larger than an output so many times: it may come from a payload that is larger."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the machine decides by, besides the plan."""

    defaults: RetryPolicy
    """For steps without a retry of their own."""
    now: datetime
    chance: float
    """In [0, 1): spreads retries."""
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
    """Of a completed execution: what a workflow that called it gets."""
    frames: dict[int, Frame] = field(default_factory=dict)
    blocks: dict[BlockKey, OpenBlock] = field(default_factory=dict)
    next_frame: int = 1
    effects: Effects = field(default_factory=Effects)
    entered: int = 0

    @property
    def why_overdue(self) -> str:
        """What an execution fails with when its time limit is over."""
        return f"the execution took longer than its limit of {self.plan.settings.timeout or 0:g} seconds"

    # Facts

    def begin(self) -> None:
        """A, B: an accepted event becomes a moving execution."""
        self.status = Status.RUNNING
        frame = self.frames[ROOT] = Frame()
        self._go(frame, self.plan.root, self.plan.root.first)

    def begin_at(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """A, B, from a step in the workflow's own frame on, with what is known of the steps before it."""
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
        if step.bodies and step.block in {BlockType.FOR_EACH, BlockType.PARALLEL}:
            self._begin_more(self.blocks[frame.number, step.index])
        elif fact.failure is not None:
            self._attempt_failed(frame, step, fact, fact.failure)
        else:
            frame.record(step.key, dict(fact.output))
            self._go(frame, step.body, step.next)
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
        output = self._collected(frame, step, block, ended)
        try:
            _judge(output, "what it collected", self.rules.output_limit)
        except ConfigUnusable as error:
            self._failed(frame, step, self._error(step, frame, f"{error}: let `collect` keep less"))
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

    def _go(self, frame: Frame, body: Body, step: Step | None) -> None:
        """Goes through the body from that step on (None: its end), until something has to be awaited."""
        while True:
            if step is None:
                owner = body.owner
                if owner is None or body.kind.has_frames:
                    self._frame_over(frame, body)
                    return
                body, step = owner.body, owner.next
                continue
            frame.current_step = step.index
            try:
                following = self._take(frame, step)
            except (ExpressionError, ConfigUnusable) as error:
                following = self._handled(frame, step, self._error(step, frame, _message(error, step)))
            if following is None:
                return
            body, step = following

    def _take(self, frame: Frame, step: Step) -> tuple[Body, Step | None] | None:
        """Does what the step is; returns where to go on, or None where something has to be awaited first."""
        if not self._runs(frame, step):
            return step.body, step.next
        if step.pinned is not None:
            frame.record(step.key, dict(step.pinned))
            return step.body, step.next
        return self._enter(frame, step)

    def _runs(self, frame: Frame, step: Step) -> bool:
        return step.when is None or holds(self._value(frame, step, step.when, "when"))

    def _enter(self, frame: Frame, step: Step) -> tuple[Body, Step | None] | None:
        match step.block:
            case None:
                self.effects.starts.append(StartStep(step.index, iteration=frame.number))
                return None
            case BlockType.BRANCH:
                return self._branch(frame, step)
            case BlockType.FOR_EACH | BlockType.PARALLEL:
                return self._open(frame, step)
            case BlockType.WAIT:
                self._wait(frame, step)
                return None
            case BlockType.RUN_WORKFLOW:
                self._call(frame, step)
                return None
            case BlockType.STOP:
                self._stop(frame, step)
                return None
            case BlockType.RESPOND:
                config: RespondConfig = self._config(frame, step)
                self.effects.response = self.effects.response or Respond(config.status, config.headers, config.body)
                frame.record(step.key, {"status": config.status})
                return step.body, step.next

    def _branch(self, frame: Frame, step: Step) -> tuple[Body, Step | None]:
        for number, body in enumerate(step.bodies):
            if body.when is None or holds(self._value(frame, step, body.when, f"branches[{number}].when")):
                frame.record(step.key, {"branch": body.name})
                return body, body.first
        frame.record(step.key, {"branch": None})
        return step.body, step.next

    def _open(self, frame: Frame, step: Step) -> tuple[Body, Step | None] | None:
        items: Sequence[Any] = [None] * len(step.bodies)
        at_once = len(items)
        if step.block is BlockType.FOR_EACH:
            config: ForEachConfig = self._config(frame, step, without="collect")
            items, at_once = config.items, config.concurrency
        block = OpenBlock(
            frame.number,
            step.index,
            self.next_frame,
            len(items),
            at_once,
            closure(self.plan, step, self._context(frame, step)),
        )
        if not items or not step.bodies:
            frame.record(step.key, self._collected(frame, step, block, []))
            return step.body, step.next
        self.next_frame += block.total
        self.blocks[block.key] = block
        self.effects.opened.append(OpenFrames(block, items))
        self._begin_more(block)
        return None

    def _wait(self, frame: Frame, step: Step) -> None:
        config: WaitConfig = self._config(frame, step)
        if config.for_ is not None:
            due = self.rules.now + (FOREVER if config.timeout is None else timedelta(seconds=config.timeout))
            fails = config.on_timeout == "fail"
            wait = Wait(step.index, frame.number, due, config.for_, fails_when_due=fails, message=config.message)
        else:
            wait = Wait(step.index, frame.number, config.ends(self.rules.now))
        self.effects.waits.append(wait)

    def _call(self, frame: Frame, step: Step) -> None:
        config: RunWorkflowConfig = self._config(frame, step)
        self.effects.calls.append(
            CallWorkflow(step.index, frame.number, config.workflow_id, config.payload, config.wait)
        )

    def _stop(self, frame: Frame, step: Step) -> None:
        config: StopConfig = self._config(frame, step)
        if config.status == "failed":
            self._end(Status.FAILED, self._error(step, frame, config.message or "stopped"))
            return
        if config.message is not None:
            frame.record(step.key, {"message": config.message})
        self.result = config.output
        self._end(Status.COMPLETED)

    # Frames and their blocks

    def _begin_more(self, block: OpenBlock) -> None:
        """Begins as many frames as the block may run at once; asks for its end when there is nothing left to do."""
        stopped = block.error is not None
        while not stopped and block.begun < block.total and block.running < block.at_once:
            if self.entered >= _ENTERED_AT_ONCE and block.running == 0:
                self.effects.waits.append(
                    Wait(block.step_index, block.frame, self.rules.now, "continue", attempt=block.begun + 1)
                )
                return
            if self.entered >= _ENTERED_AT_ONCE:
                return
            self.entered += 1
            self.effects.entering.append(block.first_frame + block.begun)
            block.begun += 1
        if block.running == 0:
            self.effects.closing.append(block.key)

    def _frame_over(self, frame: Frame, body: Body) -> None:
        """The last step of a list is over that has no owner in its frame."""
        if frame.block is None:
            self.result = self._last_output(frame, body)
            self._end(Status.COMPLETED)
            return
        owner = body.owner
        assert owner is not None
        try:
            frame.result = self._last_output(frame, body)
            if body.kind is BodyKind.ITEM and owner.config.get("collect") is not None:
                frame.result = self._value(frame, owner, owner.config["collect"], "config.collect")
                _judge(frame.result, "what `collect` gives", self.rules.output_limit)
        except (ExpressionError, ConfigUnusable) as error:
            frame.result = None
            self._frame_failed(frame, self._error(owner, frame, _message(error, owner)))
            return
        frame.status = FrameStatus.COMPLETED
        block = self.blocks[frame.block]
        block.ended += 1
        self._begin_more(block)

    def _frame_failed(self, frame: Frame, error: Mapping[str, Any]) -> None:
        assert frame.block is not None
        block = self.blocks[frame.block]
        frame.status, frame.error = FrameStatus.FAILED, error
        block.ended += 1
        block.failed += 1
        step = self.plan.step(block.step_index)
        goes_on = step is not None and step.config.get("onItemError") == "continue"
        first = block.failed_position is None or frame.position < block.failed_position
        if not goes_on and first:
            block.failed_position, block.error = frame.position, error
        self._begin_more(block)

    def _body_of(self, frame: Frame) -> Body:
        assert frame.block is not None
        step = self.plan.step(frame.block[1])
        assert step is not None
        return step.bodies[frame.position if step.block is BlockType.PARALLEL else 0]

    def _collected(self, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> dict[str, Any]:
        if step.block is BlockType.FOR_EACH:
            return {"count": block.total, "failed": block.failed, "results": [one.result for one in ended]}
        for lane in ended:
            for key, output in lane.outputs.items():
                frame.record(key, output)
        return {"branches": {step.bodies[lane.position].name: lane.result for lane in ended}}

    # Errors

    def _attempt_failed(self, frame: Frame, step: Step, fact: StepEnded, failure: Failure) -> None:
        if step.block is None:
            policy = step.retry or self.rules.defaults
            again = retry_at(policy, fact.attempt, failure, self.rules.now, self.rules.chance)
            if again is not None:
                self.effects.starts.append(StartStep(step.index, fact.attempt + 1, frame.number, again))
                return
        self._failed(frame, step, self._error(step, frame, failure.message, fact.attempt))

    def _failed(self, frame: Frame, step: Step, error: Mapping[str, Any]) -> None:
        following = self._handled(frame, step, error)
        if following is not None:
            self._go(frame, *following)

    def _handled(self, frame: Frame, step: Step, error: Mapping[str, Any]) -> tuple[Body, Step | None] | None:
        """Where to go on after the step failed for good; None where its frame, or the execution, is over by that."""
        while True:
            if step.on_error is OnError.CONTINUE:
                frame.record(step.key, {"error": error})
                return step.body, step.next
            if step.on_error is OnError.HANDLE and step.handler is not None:
                frame.record(step.key, {"error": error})
                return step.handler, step.handler.first
            body = step.body
            while body.kind is BodyKind.HANDLER and body.owner is not None:
                body = body.owner.body  # what fails inside a handler is not handled by it
            if body.kind.has_frames:
                self._frame_failed(frame, error)
                return None
            if body.owner is None:
                self._end(Status.FAILED, error)
                return None
            step = body.owner

    def _end(self, status: Status, error: Mapping[str, Any] | None = None) -> None:
        self.status, self.error = status, error
        root = self.frames.get(ROOT)
        if status is Status.COMPLETED and root is not None:
            root.current_step = self.plan.length

    def _error(self, step: Step, frame: Frame, message: str, attempt: int = 1) -> dict[str, Any]:
        error = {"step": step.id, "stepIndex": step.index, "message": jsonio.writable(message), "attempt": attempt}
        return {**error, "item": frame.position} if self._is_item(frame) else error

    def _is_item(self, frame: Frame) -> bool:
        return frame.block is not None and self._body_of(frame).kind is BodyKind.ITEM

    # Data

    def _context(self, frame: Frame, step: Step) -> dict[str, Any]:
        block = self.blocks[frame.block] if frame.block else None
        return step_context(self.plan, step, frame, block, self.trigger)

    def _value(self, frame: Frame, step: Step, value: Any, field: str) -> Any:
        if not step.templated:
            return value
        return resolve(
            value, scope(self.plan, self._context(frame, step), self.around(frame.number)), step=step.id, field=field
        )

    def _config(self, frame: Frame, step: Step, *, without: str | None = None) -> Any:
        """The config of a block with its expressions resolved, judged as an output is: it will be stored and sent.
        Raises ExpressionError, ConfigUnusable."""
        written = {name: value for name, value in step.config.items() if name != without}
        config = self._value(frame, step, written, "config")
        per_output = _LIST_PER_OUTPUT if step.block is BlockType.FOR_EACH else 1
        _judge(config, "its config, with its expressions resolved,", self.rules.output_limit * per_output)
        return BLOCKS[step.type].parse(config)

    def _last_output(self, frame: Frame, body: Body | None) -> Any:
        """What the last step of the list gave that gave anything; of a BRANCH or a handled error, what came of it."""
        for step in reversed(body.steps if body else ()):
            output = frame.outputs.get(step.key)
            if output is not None:
                gone = self._gone_into(step, output)
                inner = self._last_output(frame, gone)
                return output if inner is None else inner
        return None

    def _gone_into(self, step: Step, output: Any) -> Body | None:
        if step.handler is not None and "error" in output:
            return step.handler
        if step.block is BlockType.BRANCH:
            return next((body for body in step.bodies if body.name == output.get("branch")), None)
        return None


def holds(value: Any) -> bool:
    """Whether a condition is met: not false, null, 0, empty, or the text `false`. Raises Undecided for an unknown."""
    if isinstance(value, Unknown):
        raise Undecided(value)
    return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)


def _judge(value: Any, what: str, limit: int) -> None:
    """Whether a value can be kept and carried on. Raises ConfigUnusable."""
    try:
        jsonio.dumps_within(value, limit, carried=True)
    except jsonio.TooLarge as error:
        raise ConfigUnusable(f"{what} has {error}") from error
    except TypeError as error:
        raise ConfigUnusable(f"{what} cannot be written as JSON: {jsonio.why_not_json(error)}") from error


def _message(error: Exception, step: Step) -> str:
    return str(error) if isinstance(error, ExpressionError) else f"step '{step.id}': {error}"
