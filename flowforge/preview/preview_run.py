"""The state machine of real runs, one step at a time, on data of which a part may be unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from flowforge.execution.commands import Effects, Wait
from flowforge.execution.conditions import holds
from flowforge.execution.context import closure, scope, step_context
from flowforge.execution.machine import Rules, Run
from flowforge.execution.state import Frame, OpenBlock, Status, StepEnded
from flowforge.jsonio import JsonObject
from flowforge.language.block import BlockConfig, ConfigUnusable
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions.resolving import ExpressionError
from flowforge.language.expressions.unknown_values import (
    UncertainOutput,
    Undecided,
    Unknown,
    first_unknown,
    resolve_known,
)
from flowforge.language.plan import Body, Needs, Plan, Step

_LARGEST_OUTPUT = 10_000_000
"""Bytes that a block may collect."""
Following = tuple[Body, Step | None]


class StepFailed(Exception):
    """A block fails because of the results of its frames."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error.get("message"))
        self.error = error


@dataclass(frozen=True, slots=True)
class BlockInput:
    """The config that a block was entered with: resolved, and read, where that was possible."""

    resolved: Mapping[str, Any]
    read: BlockConfig | None = None


@dataclass(slots=True)
class PreviewRun(Run):
    """Decides as every run does, but never goes on by itself: its caller says which step is next. Expressions that
    use something unknown are Unknown; a decision that depends on one raises Undecided."""

    computes: bool = True
    """False: expressions are Unknown without being computed, for there is no time left."""
    supplied: JsonObject | None = None
    """The roots of expressions that come from the execution's data, where they do not come from this run."""
    inputs: dict[int, BlockInput] = field(default_factory=dict)
    """Configs with which blocks were entered last, by the index of the step."""
    assumed: set[int] = field(default_factory=set)
    """Numbers of frames that were made although it is unknown whether, or how often, their block begins a frame."""

    @classmethod
    def begun(
        cls, plan: Plan, trigger: Mapping[str, Any], around: Mapping[str, Any], *, supplied: JsonObject | None = None
    ) -> PreviewRun:
        """A run whose own frame is there, in which no step has been taken yet. `around`: the roots of expressions that
        do not come from the execution's data."""
        rules = Rules(RetryPolicy(), datetime.now(UTC), 0.0, _LARGEST_OUTPUT)
        run = cls(
            _OpenPlan(plan.root, plan.steps, plan.length, plan.settings),
            rules,
            trigger,
            lambda _: around,
            supplied=supplied,
        )
        run.begin()
        return run

    def take_effects(self) -> Effects:
        effects, self.effects = self.effects, Effects()
        return effects

    def runs(self, frame: Frame, step: Step) -> bool:
        """Whether its `when` holds. Raises ExpressionError, Undecided."""
        return self._runs(frame, step)

    def enter(self, frame: Frame, step: Step) -> Following | None:
        """Carries out the step, as far as the machine does. Returns the point where it would go on, or None where
        something is awaited first. Raises ExpressionError, ConfigUnusable, Undecided."""
        frame.current_step = step.index
        return self._enter(frame, step)

    def resolved_config(self, frame: Frame, step: Step) -> Mapping[str, Any]:
        """The config as the machine has resolved it, else with every expression in it. Raises ExpressionError."""
        entered = self.inputs.get(step.index)
        resolved: Mapping[str, Any] = entered.resolved if entered else self.value(frame, step, step.config, "config")
        return resolved

    def config_of(self, step: Step) -> BlockConfig | None:
        """The config with which a block was entered last; None for a block without config."""
        entered = self.inputs.get(step.index)
        return entered.read if entered else None

    def body_of(self, frame: Frame) -> Body:
        return self._body_of(frame)

    def end_frame(self, frame: Frame, body: Body, error: Mapping[str, Any] | None) -> None:
        """Ends a frame whose steps have all been visited; `error` is its failure. Raises Undecided."""
        if error is None:
            self._frame_over(frame, body)
        else:
            self._frame_failed(frame, error)

    def resume(self) -> None:
        """Goes on behind a step that has ended the run."""
        self.status, self.error, self.result = Status.RUNNING, None, None

    def step_error(self, frame: Frame, step: Step, message: str) -> JsonObject:
        return self.error_of(step, frame, message)

    def context(self, frame: Frame, step: Step) -> JsonObject:
        """The roots of expressions that come from the execution's data."""
        return self._context(frame, step)

    def scope(self, frame: Frame, step: Step) -> JsonObject:
        """All roots of expressions."""
        return scope(self.plan, self._context(frame, step), self.around(frame.number))

    def may_go(self, frame: Frame, step: Step, body: Body) -> bool:
        """Whether a run may enter the body, for all that is known."""
        try:
            return body.when is None or holds(self.value(frame, step, body.when, "when"))
        except (Undecided, ExpressionError):
            return True

    def end_wait(self, wait: Wait) -> None:
        """Ends a wait whose time has come."""
        self.entered = 0
        self.step_ended(StepEnded(wait.step_index, wait.attempt, wait.iteration))

    def assume_frame(self, frame: Frame, step: Step, body: Body, item: Any) -> Frame:
        """Makes a frame for a body of the block `step` in `frame`, where it is uncertain that a run has it."""
        position, total, first = step.bodies.index(body), len(step.bodies), self.next_frame
        self.next_frame += total
        taken = closure(self.plan, step, self._context(frame, step))
        block = OpenBlock(frame.number, step.index, first, total, total, taken, begun=total)
        self.blocks[block.key] = block
        made = self.frames[first + position] = Frame(first + position, block.key, position, item=item)
        self.assumed.add(made.number)
        return made

    # What the machine would do by itself

    def _go(self, frame: Frame, body: Body, step: Step | None) -> None:
        pass

    def _failed(self, frame: Frame, step: Step, error: Mapping[str, Any]) -> None:
        raise StepFailed(error)

    def value(self, frame: Frame, step: Step, value: Any, field: str) -> Any:
        if not step.templated:
            return value
        roots = self.scope(frame, step) if self.computes else _AllUnknown()
        return resolve_known(value, roots, step=step.id, field=field)

    def config(self, frame: Frame, step: Step, *, outputs: int = 1) -> Any:
        written = {name: value for name, value in step.config.items() if name not in step.deferred_fields}
        resolved = self.value(frame, step, written, "config")
        self.inputs[step.index] = BlockInput(resolved)
        try:
            read = Run.config(self, frame, step, outputs=outputs)
        except ConfigUnusable as error:
            unknown = first_unknown(resolved)
            if unknown is None:
                raise
            raise Undecided(unknown) from error
        self.inputs[step.index] = BlockInput(resolved, read)
        return read

    def _context(self, frame: Frame, step: Step) -> JsonObject:
        if self.supplied is not None:
            return self.supplied
        context = Run._context(self, frame, step)
        if frame.number not in self.assumed or frame.block is None:
            return context
        block = self.blocks[frame.block]
        larger = replace(block, total=block.total + 1)
        other = step_context(self.plan, step, frame, larger, self.trigger)
        return {root: _common(root, value, other[root]) for root, value in context.items()}

    def last_output(self, frame: Frame, body: Body) -> Any:
        for step in reversed(body.steps):
            output = frame.outputs.get(step.key)
            if isinstance(output, Unknown | UncertainOutput):
                return Unknown(step.id)
            if output is not None:
                break
        return Run.last_output(self, frame, body)


class _AllUnknown(dict[str, Unknown]):
    """A scope in which every root is unknown."""

    def __missing__(self, root: str) -> Unknown:
        return Unknown(root, is_root=True)


def _common(name: str, value: Any, other: Any) -> Any:
    """The parts that both values have in common; the rest is unknown."""
    if value == other:
        return value
    if isinstance(value, dict) and isinstance(other, dict):
        return {key: _common(f"{name}.{key}", part, other.get(key)) for key, part in value.items()}
    return Unknown(name, is_root=True)


class _OpenPlan(Plan):
    """A plan whose blocks hand everything in, not only what their steps refer to: more may be picked from it."""

    def needs(self, block: Step) -> Needs:
        return Needs(None, None)
