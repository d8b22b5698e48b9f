"""The plan a definition compiles to: numbered steps that the engine goes through by index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowforge.language.definition import ActionDefinition, ActionList, RetryPolicy


@dataclass(frozen=True, slots=True)
class Step:
    """One step to run. `index` is its position among the actions, as `stepIndex` and `current_step` have it."""

    index: int
    id: str
    """The action's own id, or `step_<index>`."""
    type: str
    name: str
    """What people call it: the action's name, or its id."""
    config: dict[str, Any]
    retry: RetryPolicy | None
    """None: as the instance is set up."""
    timeout: float | None
    """Seconds; None: as the instance is set up."""
    templated: bool
    """Whether `{{` has a meaning in the config."""


@dataclass(frozen=True)
class Plan:
    """The steps that will run, in order. Disabled actions are not among them, but keep their numbers."""

    steps: tuple[Step, ...]
    length: int
    """Number of actions, disabled ones included: `current_step` of a completed execution."""
    _by_index: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_index", {step.index: place for place, step in enumerate(self.steps)})

    def first(self) -> Step | None:
        """Where to begin; None when there is nothing to do."""
        return self.steps[0] if self.steps else None

    def step(self, index: int) -> Step | None:
        """The step with that index; None for a disabled action and for an index that does not exist."""
        place = self._by_index.get(index)
        return None if place is None else self.steps[place]

    def after(self, index: int) -> Step | None:
        """What follows the step with that index; None when it was the last one, or is none of the plan's."""
        place = self._by_index.get(index)
        return self.steps[place + 1] if place is not None and place + 1 < len(self.steps) else None

    def names(self) -> dict[str, int]:
        """Every name by which an expression can call a step's output, and the index of that step."""
        positional = {f"step_{step.index}": step.index for step in self.steps}
        return positional | {step.id: step.index for step in self.steps}

    def outputs(self, step_outputs: Mapping[str, Any]) -> dict[str, Any]:
        """The root `steps` of expressions: recorded outputs (keys `step_<index>`), also under the steps' own ids."""
        named = {step.id: step_outputs[key] for step in self.steps if (key := f"step_{step.index}") in step_outputs}
        return {**step_outputs, **named}


def compile_plan(definition: Mapping[str, Any], *, templated: bool) -> Plan:
    """The plan of `{name, trigger, actions}`. Raises flowforge.errors.Invalid when the actions cannot be read.

    Only the actions matter to a plan: the name of a row written long ago is no reason not to run it.
    """
    actions = ActionList.read(dict(definition)).actions
    steps = tuple(_step(index, action, templated) for index, action in enumerate(actions) if _runs(action))
    return Plan(steps, length=len(actions))


def _step(index: int, action: ActionDefinition, templated: bool) -> Step:
    identifier = action.id or f"step_{index}"
    return Step(
        index=index,
        id=identifier,
        type=action.type,
        name=action.name or identifier,
        config=action.config or {},
        retry=action.retry,
        timeout=action.timeout,
        templated=templated,
    )


def _runs(action: ActionDefinition) -> bool:
    return action.enabled is not False
