"""The plan a definition compiles to: numbered steps, and the lists (bodies) they stand in.

Steps are numbered in the order in which they are written, those inside blocks and error handlers after their owner; a
plain list of actions is 0..n-1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from flowforge.jsonio import JsonObject
from flowforge.language.block import Block, Loop
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import BodyKind, default_branch_name
from flowforge.language.definition import (
    ActionDefinition,
    ActionList,
    RetryPolicy,
    WorkflowSettings,
    WrittenBody,
)
from flowforge.language.expressions.conditions import trimmed
from flowforge.language.expressions.resolving import references_in, texts
from flowforge.language.expressions.template import TemplateFailure
from flowforge.language.pointers import Part


class OnError(Enum):
    FAIL = "fail"
    CONTINUE = "continue"
    HANDLE = "handle"


@dataclass(slots=True, eq=False)
class Body:
    """A list of steps; `owner` is None for the workflow's own. Disabled actions are not among the steps. Like a step,
    it is not changed once the plan is compiled."""

    kind: BodyKind
    owner: Step | None = None
    name: str = ""
    when: bool | str | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def first(self) -> Step | None:
        return self.steps[0] if self.steps else None


@dataclass(slots=True, eq=False)
class Step:
    """One step to run. `index` is its number among all actions, as `stepIndex` and `current_step` have it."""

    index: int
    id: str
    """The action's own id, or `step_<index>`."""
    type: str
    name: str
    """Its name for people: the action's name, or its id."""
    config: JsonObject
    retry: RetryPolicy | None
    """None: as the instance is set up."""
    timeout: float | None
    """Seconds; None: as the instance is set up."""
    after_crash: Literal["again", "fail"] | None
    """What becomes of it where its executor dies in the call. None: as its connector can be repeated."""
    templated: bool
    """Whether `{{` has a meaning in the config."""
    body: Body
    """The list it stands in."""
    position: int
    """Its position in that list."""
    when: bool | str | None
    on_error: OnError
    on_reject: OnError
    bodies: list[Body] = field(default_factory=list)
    """The bodies of a block, its handler aside."""
    handler: Body | None = None
    pinned: JsonObject | None = None
    """The output that a trial uses instead of running it."""

    @property
    def key(self) -> str:
        """The name under which its output is recorded (contract.md, section 7)."""
        return f"step_{self.index}"

    @property
    def next(self) -> Step | None:
        """The step that follows it in its list."""
        following = self.position + 1
        return self.body.steps[following] if following < len(self.body.steps) else None

    @property
    def block(self) -> Block[Any] | None:
        """The block that it is; None for an action of a connector."""
        return BLOCKS.get(self.type)

    @property
    def rejection(self) -> Body | None:
        """The actions that are done where what it waits for is refused."""
        return next((body for body in self.bodies if body.kind is BodyKind.REJECTION), None)

    @property
    def has_frames(self) -> bool:
        """Whether it runs what is inside it in frames of their own."""
        return self.block is not None and self.block.bodies.has_frames

    @property
    def calls_workflow(self) -> bool:
        """Whether it starts another workflow."""
        return self.block is not None and self.block.workflow_field is not None

    @property
    def reads_page(self) -> bool:
        """Whether it reads one page of a list, rather than all of it."""
        return self._loop_begun is not None and self._loop_begun.reads_pages

    @property
    def is_offered_tools(self) -> bool:
        """Whether it may call the tools that stand behind it."""
        return self._loop_begun is not None and self._loop_begun.offers_tools

    @property
    def tools_beside(self) -> Sequence[Step]:
        """The tools in its list."""
        return [step for step in self.body.steps if step.block is not None and step.block.is_tool]

    @property
    def _loop_begun(self) -> Loop | None:
        """The loop of which each run begins with it."""
        around = self.body.owner.block if self.body.owner and self.body.first is self else None
        return around.loop if around else None

    @property
    def deferred_fields(self) -> frozenset[str]:
        """The fields of its config that are evaluated inside it, not where it begins."""
        return self.block.config.evaluated_inside if self.block else frozenset()


@dataclass(frozen=True, slots=True)
class Needs:
    """The data that the steps inside a block take from outside of it."""

    roots: frozenset[str] | None
    """`trigger`, `item`, `loop`, `error`, ...; None for all of them."""
    steps: frozenset[str] | None
    """Names of steps; None for all of them."""

    def takes(self, root: str) -> bool:
        return self.roots is None or root in self.roots


@dataclass(frozen=True)
class Plan:
    """All steps that can run. Disabled actions are not among them, but keep their numbers."""

    root: Body
    steps: tuple[Step, ...]
    length: int
    """Number of actions, disabled ones included: `current_step` of a completed execution."""
    settings: WorkflowSettings = WorkflowSettings()  # noqa: RUF009  (frozen)

    @cached_property
    def _by_index(self) -> dict[int, Step]:
        return {step.index: step for step in self.steps}

    @cached_property
    def _needs(self) -> dict[int, Needs]:
        return {}

    @classmethod
    def empty(cls) -> Plan:
        return cls(Body(BodyKind.ROOT), (), 0)

    def first(self) -> Step | None:
        """The step to begin with; None when there is nothing to do."""
        return self.root.first

    def step(self, index: int) -> Step | None:
        """The step with that index; None for a disabled action and for an index that does not exist."""
        return self._by_index.get(index)

    def names(self) -> dict[str, int]:
        """Every name by which an expression can call a step's output, and the index of that step."""
        return {step.key: step.index for step in self.steps} | {step.id: step.index for step in self.steps}

    def outputs(self, step_outputs: Mapping[str, Any]) -> JsonObject:
        """The root `steps` of expressions: recorded outputs (keys `step_<index>`), also under the steps' own ids."""
        found = dict(step_outputs)
        for key in step_outputs:
            step = self._by_key.get(key)
            if step is not None:
                found[step.id] = step_outputs[key]
        return found

    @cached_property
    def _by_key(self) -> dict[str, Step]:
        return {step.key: step for step in self.steps}

    @cached_property
    def has_frames(self) -> bool:
        """Whether one of the steps runs what is inside it in frames of their own."""
        return any(step.has_frames for step in self.steps)

    @cached_property
    def resumable(self) -> tuple[Step, ...]:
        """The waits for a call or a person."""
        return tuple(step for step in self.steps if step.block and step.block.can_be_resumed(step.config))

    def needs(self, block: Step) -> Needs:
        """The data that the steps inside the block refer to. Computed once: it takes reading their expressions."""
        needs = self._needs.get(block.index)
        if needs is None:
            needs = self._needs[block.index] = _needs_of(block)
        return needs


def compile_plan(definition: Mapping[str, Any], *, templated: bool) -> Plan:
    """The plan of `{name, trigger, actions, settings}`, and of a trial `pins`: outputs by the ids of steps that are not
    run. Raises flowforge.errors.Invalid when it cannot be read.

    Only actions and settings matter to a plan: the name of a row written long ago is no reason not to run it.
    """
    written = _Planned.read(dict(definition))
    compiler = _Compiler(templated, definition.get("pins") or {})
    root = Body(BodyKind.ROOT)
    compiler.fill(root, written.actions)
    steps = tuple(sorted(compiler.steps, key=lambda step: step.index))
    return Plan(root, steps, compiler.count, written.settings or WorkflowSettings())


def can_be_pinned(type_: str) -> bool:
    """Whether an output may stand for the step. Not for those that steer: what they do is more than their output."""
    block = BLOCKS.get(type_.upper())
    return block is None or block.can_be_pinned


def _reaction(written: list[ActionDefinition] | str | None) -> OnError:
    return OnError.HANDLE if isinstance(written, list) else OnError(written or "fail")


class _Planned(ActionList):
    settings: WorkflowSettings | None = None


class _Compiler:
    def __init__(self, templated: bool, pins: Mapping[str, JsonObject]) -> None:
        self._templated = templated
        self._pins = pins
        self.steps: list[Step] = []
        self.count = 0

    def fill(self, body: Body, actions: list[ActionDefinition], *, runs: bool = True) -> None:
        """Puts the enabled actions into the body; the others are only counted."""
        for action in actions:
            enabled = runs and action.runs
            step = self._step(action, body)
            self.count += 1
            if enabled:
                body.steps.append(step)
                self.steps.append(step)
            for written in action.bodies():
                self.fill(self._inner(step, written), written.actions, runs=enabled)

    def _step(self, action: ActionDefinition, body: Body) -> Step:
        identifier = action.id or f"step_{self.count}"
        return Step(
            index=self.count,
            id=identifier,
            type=action.type,
            name=action.name or identifier,
            config=_with_trimmed_conditions(action),
            retry=action.retry,
            timeout=action.timeout,
            after_crash=action.after_crash,
            templated=self._templated,
            body=body,
            position=len(body.steps),
            when=trimmed(action.when),
            on_error=_reaction(action.on_error),
            on_reject=_reaction(action.on_reject),
            pinned=self._pins.get(identifier) if can_be_pinned(action.type) else None,
        )

    def _inner(self, step: Step, written: WrittenBody) -> Body:
        name = written.name or default_branch_name(written.number)
        inner = Body(written.kind, step, name, trimmed(written.when))
        if inner.kind is BodyKind.HANDLER:
            step.handler = inner
        else:
            step.bodies.append(inner)
        return inner


def _with_trimmed_conditions(action: ActionDefinition) -> JsonObject:
    config, block = action.config or {}, BLOCKS.get(action.type)
    found = {name: trimmed(config[name]) for name in block.config.conditions if name in config} if block else {}
    return {**config, **found} if found else config


def _needs_of(block: Step) -> Needs:
    found = _used_in([block.config.get(name) for name in block.deferred_fields])
    waiting = list(block.bodies)
    while waiting:
        body = waiting.pop()
        found |= _used_in(body.when)
        for step in body.steps:
            found |= _used_in(step.config) | _used_in(step.when)
            waiting += [*step.bodies, *([step.handler] if step.handler else [])]
    steps = {key for root, key in found if root == "steps"}
    return Needs(frozenset(root for root, _ in found), None if None in steps else frozenset(map(str, steps)))


def _used_in(value: Any) -> set[tuple[str, Part | None]]:
    """(root, first key) of every use of data. What cannot be read uses nothing: it fails when it runs."""
    found: set[tuple[str, Part | None]] = set()
    for _, text in texts(value):
        with suppress(TemplateFailure):
            found |= {(used.root, used.keys[0] if used.keys else None) for used in references_in(text)}
    return found
