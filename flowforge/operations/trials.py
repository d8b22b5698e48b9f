"""Trying out: one step alone, at once; or a whole workflow that resolves everything and calls nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowforge.connectors.catalog import Catalog
from flowforge.errors import Invalid, NotFound, Unavailable
from flowforge.events import ExecutionStart
from flowforge.execution.context import scope
from flowforge.execution.machine import holds
from flowforge.ids import uuid7
from flowforge.language.blocks import BlockType
from flowforge.language.expressions import ExpressionError, resolve
from flowforge.language.plan import Step, compile_plan
from flowforge.operations.plans import Version
from flowforge.operations.starts import around
from flowforge.operations.step_runs import StepRun, StepRunner
from flowforge.secrets import MASK
from flowforge.wiring import Backends

LONGEST_SECONDS = 20.0
AT_ONCE = 4
"""In one process: each takes a thread of the web server."""
_ROOTS = ("trigger", "steps", "item", "loop", "error")

Json = dict[str, Any]
_room = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `config` is what the connector was given, its secrets masked; None where it got so far not."""

    seconds: float
    config: Json | None = None
    output: Json | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A step of a definition, secrets in clear, that may not have been saved; and what its expressions see."""

    workflow_id: UUID
    user_id: UUID
    name: str
    definition: Mapping[str, Any]
    step_id: str
    data: Mapping[str, Any]
    """By root: `trigger`, `steps` by id, and `item`, `loop`, `error`."""
    version: Version = field(init=False)
    step: Step = field(init=False)

    def __post_init__(self) -> None:
        plan = compile_plan(_bounded(self.definition), templated=True)
        index = plan.names().get(self.step_id)
        step = plan.step(index) if index is not None else None
        if step is None:
            raise NotFound(f"there is no step '{self.step_id}' that could run")
        object.__setattr__(self, "version", Version(uuid7(), self.workflow_id, self.name, plan))
        object.__setattr__(self, "step", step)

    @property
    def context(self) -> Json:
        return {"trigger": {}, "steps": {}, **{root: self.data[root] for root in _ROOTS if root in self.data}}


def try_step(backends: Backends, catalog: Catalog, trial: Trial, *, dry_run: bool = False) -> Tried:
    """Within LONGEST_SECONDS. Raises Unavailable where too many are tried at once."""
    if not _room.acquire(timeout=1):
        raise Unavailable("other steps are being tried; try again in a moment")
    try:
        begun = time.perf_counter()
        tried = _resolved(backends, catalog, trial) if dry_run or trial.step.block else _run(backends, catalog, trial)
        return Tried(time.perf_counter() - begun, *tried)
    finally:
        _room.release()


def _run(backends: Backends, catalog: Catalog, trial: Trial) -> tuple[Json | None, Json | None, str | None]:
    runner = StepRunner(backends.settings, catalog, backends.vault, backends.resume_links)
    told: list[Json] = []
    start = ExecutionStart(
        execution_id=uuid7(),
        workflow_id=trial.workflow_id,
        user_id=trial.user_id,
        step_index=trial.step.index,
        action_type=trial.step.type,
        action_config=trial.step.config,
        trigger_payload=trial.context["trigger"],
        context=trial.context,
    )
    outcome = runner.run(StepRun(start, trial.version), told.append)
    config = told[0] if told else None
    if outcome.failure is not None:
        return config, None, outcome.failure.message
    return config, dict(outcome.output), None


def _resolved(backends: Backends, catalog: Catalog, trial: Trial) -> tuple[Json | None, Json | None, str | None]:
    step, plan = trial.step, trial.version.plan
    outside = around(trial.version, UUID(int=0), 0, datetime.now(UTC), backends.resume_links)
    roots = scope(plan, trial.context, outside)
    config = {key: value for key, value in catalog.mask(step.type, step.config).items() if key != "collect"}
    try:
        resolved: Json = resolve(config, roots, step=step.id, field="config")
        return resolved, _way(step, roots), None
    except ExpressionError as error:
        return None, None, str(error)


def _way(step: Step, roots: Mapping[str, Any]) -> Json | None:
    """Which way a BRANCH would go."""
    if step.block is not BlockType.BRANCH:
        return None
    for number, body in enumerate(step.bodies):
        if body.when is None or holds(resolve(body.when, roots, step=step.id, field=f"branches[{number}].when")):
            return {"branch": body.name}
    return {"branch": None}


def _bounded(definition: Mapping[str, Any]) -> Json:
    """With no step's time limit above LONGEST_SECONDS. What is switched off can be tried, too."""

    def bound(action: Any) -> Any:
        if isinstance(action, list):
            return [bound(one) for one in action]
        if not isinstance(action, dict):
            return action
        inner = {key: bound(value) for key, value in action.items() if key in ("actions", "else", "branches")}
        if isinstance(action.get("onError"), list):
            inner["onError"] = bound(action["onError"])
        if "type" in action:
            limit = action.get("timeout")
            usable = isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit < LONGEST_SECONDS
            inner |= {"timeout": limit if usable else LONGEST_SECONDS, "enabled": True}
        return {**action, **inner}

    return {**definition, "actions": bound(definition.get("actions") or [])}


def data_from(raw: Mapping[str, Any], known: Mapping[str, Any]) -> Json:
    """What is given, and for the roots that are not, what is known. Raises Invalid."""
    for root in ("trigger", "steps", "loop", "error"):
        if root in raw and not isinstance(raw[root], dict):
            raise Invalid.at(f"/{root}", "must be an object")
    given = {root: raw[root] for root in _ROOTS if root in raw}
    if "steps" in given:
        given["steps"] = {**known.get("steps", {}), **given["steps"]}
    return {**known, **given}


def preview(workflow_id: UUID, name: str, text: str, data: Mapping[str, Any]) -> tuple[Any, str | None]:
    """What a text with expressions would be, or why it cannot be computed."""
    outside = {"workflow": {"id": str(workflow_id), "name": name}, "execution": {"id": MASK}, "now": datetime.now(UTC)}
    try:
        return resolve(text, {**data, **outside}, step="", field=""), None
    except ExpressionError as error:
        return None, error.message
