"""A workflow gone through on the state machine of real runs without calling anybody.

Where a run would go one way, the walk goes that way. It goes on where a run would not: at decisions that depend on
something unknown it takes every way, behind an error it previews the rest, error handlers are previewed as if there
were an error, and the blocks around the target are entered in any case. Outputs of such ways are uncertain, and never
replace those that a run is certain to have.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowforge.connectors.catalog import Catalog
from flowforge.execution.blocks import runs_frames
from flowforge.execution.commands import Effects
from flowforge.execution.simulator import FramesInMemory, ended_frames
from flowforge.execution.state import ROOT, Frame, Status
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.unknown_values import UncertainOutput, Undecided, Unknown
from flowforge.language.plan import Body, OnError, Step
from flowforge.preview.known_outputs import KnownOutput, KnownOutputs
from flowforge.preview.preview_run import PreviewRun, StepFailed
from flowforge.preview.step_preview import EnteredStep, StepPreview, preview_step

MOST_ROUNDS = 20
"""Rounds of one loop; the output of a longer loop is unknown."""
_SHORT_LOOPS_AFTER = 2_000
"""Steps after which only the first round of each loop is gone through."""


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """A step that the walk reached. `preview.runs` is None also where it is uncertain that a run reaches it."""

    step: Step
    preview: StepPreview
    handles_error: bool
    """Whether it would only run to handle an error."""
    output: KnownOutput | None = None
    """None where the step does not run, or the walk ended before its output."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error that a run would meet, too, and the outputs of its frame by then.

    The walk goes on with the known outputs of the other steps, until the error is handled.
    """

    error: Mapping[str, Any]
    outputs: JsonObject


@dataclass(frozen=True, slots=True)
class _Way:
    """The way on which the walk reaches a step."""

    certain: bool = True
    """Whether a run would reach it, too."""
    handles_error: bool = False

    def uncertain(self) -> _Way:
        return replace(self, certain=False)


class _Ended(Exception):
    """The walk is over before its last step."""


class Walk:
    """One walk; `go` makes it. The other attributes are its results."""

    def __init__(
        self,
        catalog: Catalog,
        run: PreviewRun,
        known: KnownOutputs,
        *,
        seconds: float,
        as_run: bool = False,
        target: Step | None = None,
    ) -> None:
        """`as_run`: it ends where a run would end, and after so many seconds. Else it reaches the `target`, or the end
        of the workflow, in any case, and computes nothing any more after these seconds."""
        self.run = run
        self.steps: dict[int, PreviewedStep] = {}
        """Steps by index; those of loops as they were in the first round."""
        self.stopped_by: PreviewedStep | None = None
        """The step that would end the execution."""
        self.complete = True
        """False: it took too long."""
        self.context: JsonObject = {}
        """The roots of expressions, at the target or behind the last step, that come from the execution's data."""
        self._catalog, self._known = catalog, known
        self._ends_at = time.monotonic() + seconds
        self._as_run = as_run
        self._target = target
        self._bodies_towards_target = _bodies_around(target)
        self._frames = FramesInMemory()
        self._ids = {step.key: step.id for step in run.plan.steps}
        self._visits = 0

    def go(self) -> Walk:
        root = self.run.frames[ROOT]
        try:
            self._list(root, self.run.plan.root, _Way())
            self.context = {"trigger": self.run.trigger, "steps": root.outputs}
        except _Ended:
            pass
        return self

    def _list(self, frame: Frame, body: Body, way: _Way) -> _Failure | None:
        """Visits all steps, also behind a failure; returns the first failure."""
        failures = [self._visit(frame, step, way) for step in body.steps]
        return next((failure for failure in failures if failure is not None), None)

    def _visit(self, frame: Frame, step: Step, way: _Way) -> _Failure | None:
        """Previews a step. Returns the failure that a run would meet there."""
        if step is self._target:
            self.context = self.run.context(frame, step)
            raise _Ended
        self._visits += 1
        self._check_time()
        before = frame.outputs
        failure = self._take(frame, step, way)
        towards = self._bodies_towards_target.get(step.index)
        if towards is not None:  # the target is inside, and a run would not come to it
            frame.outputs = before
            self._go_into(frame, step, towards, way.uncertain())
        return failure if way.certain else None

    def _check_time(self) -> None:
        if time.monotonic() < self._ends_at:
            return
        self.complete = self.run.computes = False
        if self._as_run:
            raise _Ended

    def _take(self, frame: Frame, step: Step, way: _Way) -> _Failure | None:
        before = frame.outputs
        is_first = step.index not in self.steps
        entered = preview_step(self._catalog, self.run, frame, step)
        preview = entered.preview
        self._note(step, preview, way)
        if preview.runs is False:
            return None
        inside = way if preview.runs else way.uncertain()
        failure = None
        if not self._has_ended_run(step, inside):
            failure = self._go_inside(frame, step, entered, inside)
            failure = self._end(frame, step, failure, entered.computed, inside, is_first=is_first)
        if preview.runs is None:
            frame.outputs = self._uncertain(before, [frame.outputs])
        return failure

    def _note(self, step: Step, preview: StepPreview, way: _Way) -> None:
        """Notes the preview of a step; in later rounds only an error that the first round did not have."""
        noted = self.steps.get(step.index)
        if noted is None:
            runs = preview.runs if way.certain or preview.runs is False else None
            self.steps[step.index] = PreviewedStep(step, replace(preview, runs=runs), way.handles_error)
        elif preview.error is not None and noted.preview.error is None:
            failed = replace(noted.preview, error=preview.error, field=preview.field)
            self.steps[step.index] = replace(noted, preview=failed)

    def _has_ended_run(self, step: Step, way: _Way) -> bool:
        """Whether the step has ended the run; where that is certain, the walk is over, too."""
        if self.run.status is Status.RUNNING:
            return False
        self.run.resume()
        ended = replace(self.steps[step.index], output=KnownOutput({}, "computed"))
        self.steps[step.index] = ended
        if way.certain and self._as_run:
            self.stopped_by = ended
            raise _Ended
        return True

    def _go_inside(self, frame: Frame, step: Step, entered: EnteredStep, way: _Way) -> _Failure | None:
        try:
            if not entered.decided:
                self._go_every_way(frame, step, way.uncertain(), failed=entered.failure is not None)
            elif entered.following is not None and entered.following[0].owner is step:
                return self._list(frame, entered.following[0], way)
            else:
                self._settle(step, entered.effects, way)
        except Undecided:
            self.run.take_effects()
        except StepFailed as failed:
            self._note_failed(step, failed.error)
            return _Failure(failed.error, frame.outputs)
        if entered.failure is None:
            return None
        return _Failure(self.run.step_error(frame, step, entered.failure), frame.outputs)

    def _note_failed(self, step: Step, error: Mapping[str, Any]) -> None:
        """Notes an error of the block itself: those inside it are noted where they are."""
        if error.get("step") == step.id:
            self._note(step, StepPreview(error=str(error.get("message"))), _Way())

    # Frames

    def _settle(self, step: Step, effects: Effects, way: _Way) -> None:
        """Carries out the machine's commands until the block is over. Raises StepFailed, and Undecided where it is
        unknown how it goes on."""
        pending, rounds = deque([effects]), 0
        while pending:
            wanted = pending.popleft()
            self._frames.keep(wanted.opened)
            for wait in wanted.waits:
                if not wait.needs_answer:
                    self.run.end_wait(wait)
                    pending.append(self.run.take_effects())
            for number in wanted.entering:
                rounds += 1
                if rounds > self._most_rounds(step):
                    raise Undecided(Unknown(step.id))
                self._round(number, way)
                pending.append(self.run.take_effects())
            for key in wanted.closing:
                self.run.block_ended(key, ended_frames(self.run, key))

    def _most_rounds(self, step: Step) -> int:
        return max(MOST_ROUNDS if self._visits < _SHORT_LOOPS_AFTER else 1, len(step.bodies))

    def _round(self, number: int, way: _Way) -> None:
        frame = self.run.frames[number] = self._frames.waiting(number)
        self.run.frame_entered(number)
        body = self.run.body_of(frame)
        failure = self._list(frame, body, way)
        self.run.end_frame(frame, body, None if failure is None else failure.error)

    # Ways that a run may or may not go

    def _go_every_way(self, frame: Frame, step: Step, way: _Way, *, failed: bool) -> None:
        """Visits every body that a run may enter. `failed`: a run enters none of them."""
        before, after = frame.outputs, []
        for body in step.bodies:
            if self.run.may_go(frame, step, body) and (runs_frames(step) or not body.kind.has_frames):
                self._go_into(frame, step, body, way)
                after.append(frame.outputs)
                frame.outputs = before
        frame.outputs = before if failed else self._uncertain(before, after)

    def _go_into(self, frame: Frame, step: Step, body: Body, way: _Way) -> None:
        if body is step.handler:
            self._visit_handler(frame, step, body, way)
        elif body is step.rejection:
            self._visit_rejection(frame, step, body, way)
        elif body.kind.has_frames:
            assumed = self.run.assume_frame(frame, step, body, self._known.item(step))
            self._list(assumed, body, way)
        else:
            self._list(frame, body, way)

    def _visit_handler(self, frame: Frame, step: Step, handler: Body, way: _Way) -> None:
        """Visits an error handler as if the step had failed."""
        before = frame.outputs
        error = self._known.error(step) or self.run.step_error(frame, step, "what went wrong")
        frame.record(step.key, {"error": error})
        self._list(frame, handler, replace(way, certain=False, handles_error=True))
        frame.outputs = before

    def _visit_rejection(self, frame: Frame, step: Step, rejection: Body, way: _Way) -> None:
        """Visits what is done about a rejection as if there were one."""
        before = frame.outputs
        frame.record(step.key, {"approved": False, "comment": Unknown(step.id), "by": Unknown(step.id)})
        self._list(frame, rejection, way.uncertain())
        frame.outputs = before

    # Outputs

    def _end(
        self,
        frame: Frame,
        step: Step,
        failure: _Failure | None,
        computed: JsonObject | None,
        way: _Way,
        *,
        is_first: bool,
    ) -> _Failure | None:
        """Records the output, and visits the error handler. Returns the failure that nothing handles."""
        if failure is not None and step.on_error is not OnError.FAIL:
            return self._handle(frame, step, failure, way)
        if step.handler is not None:
            self._visit_handler(frame, step, step.handler, way)
        if step.rejection is not None:
            self._visit_rejection(frame, step, step.rejection, way)
        result = frame.outputs.get(step.key) if computed is None else computed
        output = self._known.output(step, result if failure is None else None, recorded=is_first)
        self._record(frame, step, output)
        return failure

    def _handle(self, frame: Frame, step: Step, failure: _Failure, way: _Way) -> _Failure | None:
        frame.outputs = failure.outputs
        self._record(frame, step, KnownOutput({"error": dict(failure.error)}, "computed"))
        if step.handler is None:
            return None
        return self._list(frame, step.handler, replace(way, handles_error=True))

    def _record(self, frame: Frame, step: Step, output: KnownOutput) -> None:
        frame.record(step.key, output.value)
        if self.steps[step.index].output is None:
            self.steps[step.index] = replace(self.steps[step.index], output=output)

    def _uncertain(self, before: JsonObject, ways: Iterable[JsonObject]) -> JsonObject:
        """The outputs before several ways, and those of each way, as uncertain ones."""
        outputs = dict(before)
        for way in ways:
            outputs |= {key: self._possible(output, key) for key, output in way.items() if key not in before}
        return outputs

    def _possible(self, output: Any, key: str) -> Any:
        return output if isinstance(output, Unknown | UncertainOutput) else UncertainOutput(output, self._ids[key])


def _bodies_around(step: Step | None) -> dict[int, Body]:
    """The bodies that lead to the step, by the indexes of the steps around it."""
    found = {}
    body = step.body if step is not None else None
    while body is not None and body.owner is not None:
        found[body.owner.index] = body
        body = body.owner.body
    return found
