"""Trying one step alone, at once, and computing one expression, with what is given or known."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowforge.connectors.catalog import Catalog
from flowforge.db.credentials_store import CredentialsStore
from flowforge.engine.plans import Version
from flowforge.engine.start_messages import around
from flowforge.engine.step_runner import Outcome, StepRun, StepRunner
from flowforge.errors import Invalid, NotFound, Unavailable
from flowforge.events import ExecutionStart
from flowforge.execution.context import scope
from flowforge.execution.retry import Failure
from flowforge.ids import uuid7
from flowforge.language.expressions.resolving import ExpressionError, resolve, texts
from flowforge.language.plan import Step, compile_plan
from flowforge.language.scope_rules import written_steps
from flowforge.preview.expression_context import why_unknown
from flowforge.preview.isolated_step import alone
from flowforge.preview.step_preview import preview_step
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from flowforge.workflows.credentials import masked_secrets

LONGEST_SECONDS = 20.0
_OVERTIME_SECONDS = 2.0
"""For a connector to notice that its time is over; one that does not is left to itself."""
AT_ONCE = 4
"""In one process: each takes a thread of the web server."""
ROOTS = ("trigger", "steps", "item", "loop", "error")

Json = dict[str, Any]
_TOO_SLOW = "it took longer than a trial may; it may still go on"
_room = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `config` is what the step was given, its secrets masked; None where it did not get so far."""

    seconds: float
    config: Json | None = None
    output: Json | None = None
    """Of a block: what it would do."""
    error: str | None = None
    place: str | None = None
    """Where in the step the error is, such as `config.rows[0]`, where that is known."""
    runs: bool | None = True
    """Whether its `when` holds; None: that depends on what is not known. A trial runs it all the same."""
    unknown: list[str] = field(default_factory=list)
    """Pointers into the step to what depends on outputs that nobody knows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A step of a definition, secrets in clear, in whatever state the steps around it are; and what its expressions
    see. Raises NotFound, and Invalid for a step whose shape is wrong."""

    workflow_id: UUID
    user_id: UUID
    name: str
    definition: Mapping[str, Any]
    step_id: str
    data: Mapping[str, Any]
    """By root: `trigger`, `steps` by id, and `item`, `loop`, `error`."""
    unknown: frozenset[str] = frozenset()
    """Names of steps that are not among the data because nobody knows their output."""
    version: Version = field(init=False)
    step: Step = field(init=False)

    def __post_init__(self) -> None:
        written = next((one for one in written_steps(self.definition) if self.step_id in (one.id, one.key)), None)
        if written is None:
            raise NotFound(f"there is no step '{self.step_id}'")
        plan = compile_plan(alone(self.definition, written, LONGEST_SECONDS), templated=True)
        object.__setattr__(self, "version", Version(uuid7(), self.workflow_id, self.name, plan))
        object.__setattr__(self, "step", plan.step(written.index))

    @property
    def context(self) -> Json:
        return {"trigger": {}, "steps": {}, **{root: self.data[root] for root in ROOTS if root in self.data}}


def try_step(backends: Backends, catalog: Catalog, trial: Trial, *, dry_run: bool = False) -> Tried:
    """Within LONGEST_SECONDS; a block, and a dry run, calls nobody. Raises Unavailable where too many are tried."""
    begun = time.perf_counter()
    now = datetime.now(UTC)
    outside = around(trial.version, UUID(int=0), 0, now, backends.resume_links) | masked_secrets(trial.step.config)
    told = preview_step(catalog, trial.step, scope(trial.version.plan, trial.context, outside), trial.unknown, now)
    if dry_run or trial.step.block is not None:
        spent = time.perf_counter() - begun
        return Tried(spent, told.config, told.output, told.error, told.place, told.runs, told.unknown)
    if any(at != "/when" for at in told.unknown):
        spent = time.perf_counter() - begun
        return Tried(spent, told.config, None, _what_is_missing(trial), None, told.runs, told.unknown)
    config, outcome = _Call(backends, catalog, trial).outcome()
    error = outcome.failure.message if outcome.failure else None
    output = None if outcome.failure else dict(outcome.output)
    return Tried(
        time.perf_counter() - begun, config, output, error, told.place if error else None, told.runs, told.unknown
    )


class _Call:
    """A connector at work in a thread of its own: one that takes no notice of its deadline holds up nobody else."""

    def __init__(self, backends: Backends, catalog: Catalog, trial: Trial) -> None:
        self._runner = StepRunner(
            backends.settings,
            catalog,
            backends.vault,
            backends.resume_links,
            CredentialsStore(backends.engine),
            backends.tools,
        )
        self._run = StepRun(_start(trial), trial.version)
        self._watched: list[Json] = []
        self._outcome: Outcome | None = None

    def outcome(self) -> tuple[Json | None, Outcome]:
        """With the config it was given, where it got so far. Raises Unavailable."""
        if not _room.acquire(timeout=1):
            raise Unavailable("other steps are being tried; try again in a moment")
        thread = threading.Thread(target=self._work, name="trial", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _room.release()
            raise Unavailable("this server has no thread left to try a step in") from error
        thread.join(self._runner.time_limit(self._run) + _OVERTIME_SECONDS)
        config = self._watched[0] if self._watched else None
        return config, self._outcome or Outcome(failure=Failure(_TOO_SLOW))

    def _work(self) -> None:
        try:
            self._outcome = self._runner.run(self._run, self._watched.append)
        finally:
            _room.release()


def _start(trial: Trial) -> ExecutionStart:
    return ExecutionStart(
        execution_id=uuid7(),
        workflow_id=trial.workflow_id,
        user_id=trial.user_id,
        step_index=trial.step.index,
        action_type=trial.step.type,
        action_config=trial.step.config,
        trigger_payload=trial.context["trigger"],
        context=trial.context,
    )


def _what_is_missing(trial: Trial) -> str | None:
    used = [text for _, text in texts(trial.step.config)]
    return next((why for text in used if (why := why_unknown(text, trial.unknown)) is not None), None)


def data_from(raw: Mapping[str, Any], known: Mapping[str, Any]) -> Json:
    """What is given, and for the roots that are not, what is known. Raises Invalid."""
    for root in ("trigger", "steps", "loop", "error"):
        if raw.get(root) is not None and not isinstance(raw[root], dict):
            raise Invalid.at(f"/{root}", "must be an object")
    given = {root: raw[root] for root in ROOTS if raw.get(root) is not None}
    if "steps" in given:
        given["steps"] = {**known.get("steps", {}), **given["steps"]}
    return {**known, **given}


def preview(
    workflow_id: UUID,
    name: str,
    text: str,
    data: Mapping[str, Any],
    unknown: frozenset[str] = frozenset(),
) -> tuple[Any, str | None]:
    """What a text with expressions would be, or why it cannot be computed."""
    missing = why_unknown(text, unknown)
    if missing is not None:
        return None, missing
    outside = {"workflow": {"id": str(workflow_id), "name": name}, "execution": {"id": MASK}, "now": datetime.now(UTC)}
    outside |= masked_secrets(text)
    try:
        return resolve(text, {**data, **outside}, step="", field=""), None
    except ExpressionError as error:
        return None, error.message
