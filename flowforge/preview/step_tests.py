"""Trials of one step alone, at once, and of one expression, with supplied or known data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import KeptLog, LogLine
from flowforge.db.variables_store import NO_VALUES
from flowforge.engine.plans import Version
from flowforge.engine.start_messages import around
from flowforge.engine.step_runner import Outcome, StepRun, StepRunner, Watch
from flowforge.errors import Invalid, NotFound, Unavailable, raise_any
from flowforge.events import ExecutionStart
from flowforge.execution.retry import Failure
from flowforge.execution.state import ROOT
from flowforge.fair_shares import FairShares
from flowforge.field_reader import FieldReader
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import INNER_ROOTS
from flowforge.language.expressions.resolving import VARIABLES, ExpressionError, resolve, texts
from flowforge.language.expressions.template import holds_expression
from flowforge.language.expressions.unknown_values import Unknown, unknown_in
from flowforge.language.plan import Step, compile_plan
from flowforge.language.scope_rules import Written, written_steps
from flowforge.preview.expression_context import ExpressionContext
from flowforge.preview.preview_run import PreviewRun
from flowforge.preview.readable_definition import readable
from flowforge.preview.step_preview import StepPreview, preview_step
from flowforge.resume_links import ResumeLinks
from flowforge.secrets import MASK
from flowforge.sentences import sentence
from flowforge.wiring import Backends
from flowforge.workflows.credentials import masked_secrets

LONGEST_SECONDS = 20.0
_TRIED_PARTS = ("id", "type", "name", "config", "when")
_SUPPLIED_ROOTS = ("trigger", "steps", *INNER_ROOTS, "error")
_OBJECTS = ("trigger", "steps", *(name for name, root in INNER_ROOTS.items() if root.is_object), "error")
TRIALS_AT_ONCE = 8
"""Trials at once in one process, half of them of one account: each takes a thread of the web server."""

_TOO_SLOW = "it took longer than a trial may; it may still go on"


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """Limits of trials that call a service."""

    places: FairShares
    """One is held as long as the connector works."""
    patience: float = 1.0
    """Seconds for which a trial waits for a place."""
    overtime: float = 2.0
    """Seconds for a connector to notice that its time is over; after that, it is left to itself."""


TRIAL_LIMITS = TrialLimits(FairShares(TRIALS_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of a trial."""

    seconds: float
    preview: StepPreview
    config: JsonObject | None = None
    """The resolved config, its secrets masked; None where the trial did not get so far."""
    output: JsonObject | None = None
    """The output, or the effect of a block."""
    error: str | None = None
    log: Sequence[LogLine] = ()
    """The lines that it wrote."""

    @property
    def duration_ms(self) -> int:
        return round(self.seconds * 1000)

    @property
    def field(self) -> str | None:
        """The path of the error in the step, such as `config.rows[0]`, where it is known."""
        return self.preview.field if self.error else None

    @property
    def runs(self) -> bool | None:
        """Whether its `when` holds; None: that depends on something unknown. A trial runs it all the same."""
        return self.preview.runs

    @property
    def unknown(self) -> tuple[str, ...]:
        """JSON pointers, from the step, to the parts that depend on unknown outputs."""
        return self.preview.unknown


@dataclass(frozen=True, slots=True)
class Trial:
    """A step of a definition, secrets in clear, in whatever state the steps around it are; and the data for
    its expressions. Raises NotFound, and Invalid for a step whose shape is wrong."""

    workflow_id: UUID
    user_id: UUID
    name: str
    definition: Mapping[str, Any]
    step_id: str
    data: Mapping[str, Any]
    """The data by root: `trigger`, `steps` by id, `error`, and those of the loops around it, known or Unknown."""
    version: Version = field(init=False)
    step: Step = field(init=False)

    def __post_init__(self) -> None:
        names = {name: step for step in reversed(written_steps(self.definition)) for name in (step.key, step.id)}
        written = names.get(self.step_id)
        if written is None:
            raise NotFound(sentence("there is no step '%(step_id)s'", step_id=self.step_id))
        tried = readable(self.definition, written.path, instead=_to_try(written.action))
        plan = compile_plan(tried, templated=True)
        object.__setattr__(self, "version", Version(uuid7(), self.workflow_id, self.name, plan))
        object.__setattr__(self, "step", plan.step(written.index))

    @property
    def context(self) -> JsonObject:
        return {"trigger": {}, "steps": {}, **self.data}


def try_step(
    backends: Backends,
    catalog: Catalog,
    trial: Trial,
    *,
    dry_run: bool = False,
    limits: TrialLimits = TRIAL_LIMITS,
) -> Tried:
    """Try a step within LONGEST_SECONDS; blocks and dry runs call nobody. Raises Unavailable if too many
    trials of the account run."""
    begun = time.perf_counter()
    run = _run_of(trial, backends.resume_links)
    preview = preview_step(catalog, run, run.frames[ROOT], trial.step).preview
    if dry_run or trial.step.block is not None:
        return Tried(time.perf_counter() - begun, preview, preview.config, preview.output, preview.error)
    missing = _first_unknown(trial.step, run)
    if missing is not None:
        return Tried(time.perf_counter() - begun, preview, preview.config, error=missing.reason)
    call = _Call(backends, catalog, trial, limits, _start(trial))
    config, outcome = call.outcome()
    error = outcome.failure.message if outcome.failure else None
    output = None if outcome.failure else dict(outcome.output)
    return Tried(time.perf_counter() - begun, preview, config, output, error, call.log.lines)


def ask_for_values(
    backends: Backends, catalog: Catalog, trial: Trial, field: str, *, limits: TrialLimits = TRIAL_LIMITS
) -> Sequence[str]:
    """The values that a service offers for a field of the step. Raises NotFound where nobody can be asked, Unavailable
    where too many trials of the account run, and Invalid with what went wrong."""
    type_ = trial.step.type
    if type_ not in catalog or field not in catalog.get(type_).asks:
        raise NotFound(sentence("there is nobody to be asked for the values of this field"))
    known = {name: value for name, value in trial.step.config.items() if not holds_expression(value)}
    asking = _start(trial).model_copy(update={"action_config": known})
    call = _Call(backends, catalog, trial, limits, asking, lambda runner, run, _: runner.ask(run, field))
    _, outcome = call.outcome()
    if outcome.failure:
        raise Invalid.at(f"/config/{field}", outcome.failure.message)
    values: Sequence[str] = outcome.output["values"]
    return values


def _run_of(trial: Trial, links: ResumeLinks) -> PreviewRun:
    """A run in which the step sees the data of the trial."""
    variables = trial.data.get(VARIABLES, NO_VALUES)
    outside = around(trial.version, UUID(int=0), 0, datetime.now(UTC), links, variables)
    outside |= masked_secrets(trial.step.config)
    return PreviewRun.begun(trial.version.plan, trial.context["trigger"], outside, supplied=trial.context)


def _first_unknown(step: Step, run: PreviewRun) -> Unknown | None:
    scope = run.scope(run.frames[ROOT], step)
    found = (unknown_in(text, scope) for _, text in texts(step.config))
    return next((unknown for unknown in found if unknown is not None), None)


def _to_try(action: Mapping[str, Any]) -> JsonObject:
    """The parts of an action by which it is tried; within LONGEST_SECONDS at most."""
    limit = action.get("timeout")
    usable = isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit < LONGEST_SECONDS
    parts = {key: action[key] for key in _TRIED_PARTS if action.get(key) is not None}
    return {**parts, "timeout": limit if usable else LONGEST_SECONDS}


class _Call:
    """A connector at work in a thread of its own, so that it holds up nobody else if it ignores its deadline."""

    def __init__(
        self,
        backends: Backends,
        catalog: Catalog,
        trial: Trial,
        limits: TrialLimits,
        start: ExecutionStart,
        work: Callable[[StepRunner, StepRun, Watch], Outcome] = StepRunner.run,
    ) -> None:
        self.log = KeptLog()
        self._limits = limits
        self._call = work
        self._user_id = trial.user_id
        self._runner = StepRunner(backends, catalog)
        self._run = StepRun(start, trial.version, is_trial=True, log=self.log)
        self._watched: list[JsonObject] = []
        self._outcome: Outcome | None = None

    def outcome(self) -> tuple[JsonObject | None, Outcome]:
        """Runs the step; returns its config, where it got so far, and the outcome. Raises Unavailable."""
        if not self._limits.places.take(self._user_id, patience=self._limits.patience):
            raise Unavailable(sentence("other steps are being tried; try again in a moment"))
        thread = threading.Thread(target=self._work, name="trial", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._limits.places.give_back(self._user_id)
            raise Unavailable(sentence("this server has no thread left to try a step in")) from error
        thread.join(self._runner.time_limit(self._run) + self._limits.overtime)
        config = self._watched[0] if self._watched else None
        return config, self._outcome or Outcome(failure=Failure(_TOO_SLOW))

    def _work(self) -> None:
        try:
            self._outcome = self._call(self._runner, self._run, self._watched.append)
        finally:
            self._limits.places.give_back(self._user_id)


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


@dataclass(frozen=True, slots=True)
class StepTestRequest:
    """A request to test a step, with data for it by their roots: `trigger`, `steps`, `item` ..."""

    supplied: JsonObject
    dry_run: bool = False

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        dry_run = fields.flag("dryRun")
        for root in _OBJECTS:
            fields.take(root, dict, sentence("must be an object"))
        raise_any(fields.problems)
        return cls({root: value for root, value in raw.items() if value is not None}, dry_run is True)

    def data(self, known: Mapping[str, Any], steps: Sequence[Written]) -> JsonObject:
        """Complete the supplied data by known data for the roots that are missing. `steps`: those of the definition,
        each of which has two names."""
        supplied = {root: self.supplied[root] for root in {*_SUPPLIED_ROOTS, *known} if root in self.supplied}
        if "steps" in supplied:
            supplied["steps"] = {**known.get("steps", {}), **_by_both_names(supplied["steps"], steps)}
        return {**known, **supplied}


def _by_both_names(outputs: Mapping[str, Any], steps: Sequence[Written]) -> JsonObject:
    names = [pair for step in steps for pair in ((step.id, step.key), (step.key, step.id))]
    return {other: outputs[name] for name, other in names if name in outputs} | dict(outputs)


@dataclass(frozen=True, slots=True)
class Previewed:
    """The value of a text with expressions, or the reason why it has none."""

    value: Any
    problem: str | None = None
    span: tuple[int, int] | None = None
    """The characters of the text that are to blame, where that can be told."""


def preview(text: str, context: ExpressionContext) -> Previewed:
    """Compute a text with expressions."""
    outside = {"workflow": context.workflow, "execution": {"id": MASK}, "now": datetime.now(UTC)}
    scope = {VARIABLES: NO_VALUES, **context.data, **outside, **masked_secrets(text)}
    missing = unknown_in(text, scope)
    if missing is not None:
        return Previewed(None, missing.reason)
    try:
        return Previewed(resolve(text, scope, step="", field=""))
    except ExpressionError as error:
        return Previewed(None, error.message, error.span_in(text))
