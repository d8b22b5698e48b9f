"""The preview of a step, worked out without running it: its config resolved, and the effect of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.connectors.sdk import ConnectorError
from flowforge.execution.blocks import behaviour_of
from flowforge.execution.commands import Effects
from flowforge.execution.state import Frame
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.expressions.resolving import ExpressionError
from flowforge.language.expressions.unknown_values import Undecided, unknown_pointers
from flowforge.language.plan import Step
from flowforge.language.pointers import dotted, parsed
from flowforge.preview.preview_run import Following, PreviewRun
from flowforge.secrets import mask_values
from flowforge.workflows.credentials import masked_secrets


@dataclass(frozen=True, slots=True)
class StepPreview:
    """The preview of a step. `runs` or `output` None: it depends on something unknown."""

    runs: bool | None = True
    config: JsonObject | None = None
    """The resolved config, its secrets masked; notes stand for unknown values."""
    output: JsonObject | None = None
    """The effect of a block."""
    error: str | None = None
    field: str | None = None
    """Path of the error, such as `config.rows[0]`."""
    unknown: tuple[str, ...] = ()
    """JSON pointers, from the step, to its unknown parts."""


@dataclass(frozen=True, slots=True)
class EnteredStep:
    """A step as far as the machine has taken it."""

    preview: StepPreview
    effects: Effects
    following: Following | None = None
    """The point where the machine would go on; None where something is awaited first."""
    decided: bool = False
    """Whether the machine could enter it. It cannot where that takes something unknown, or fails."""
    computed: JsonObject | None = None
    """The output of an action that calls nobody."""
    failure: str | None = None
    """The error with which a run would fail there. A config that its connector refuses is unfinished, not a failure."""


def preview_step(catalog: Catalog, run: PreviewRun, frame: Frame, step: Step) -> EnteredStep:
    """Takes the step as far as that goes without calling anybody."""
    return _Entering(catalog, run, frame, step).entered()


class _Entering:
    def __init__(self, catalog: Catalog, run: PreviewRun, frame: Frame, step: Step) -> None:
        self._catalog, self._run, self._frame, self._step = catalog, run, frame, step
        self._entered = EnteredStep(StepPreview(), Effects())

    def entered(self) -> EnteredStep:
        try:
            self._note(runs=self._runs())
            if self._entered.preview.runs is not False:
                self._enter()
        except ExpressionError as error:
            self._note(error=str(error), field=error.field)
            self._entered = replace(self._entered, failure=str(error))
        except (ConfigUnusable, ConnectorError, UnknownAction) as error:
            self._note(error=f"step '{self._step.id}': {error}", field="config")
        return self._entered

    def _note(self, **parts: Any) -> None:
        self._entered = replace(self._entered, preview=replace(self._entered.preview, **parts))

    def _runs(self) -> bool | None:
        try:
            return self._run.runs(self._frame, self._step)
        except Undecided:
            self._note(unknown=("/when",))
            return None

    def _enter(self) -> None:
        try:
            following = self._run.enter(self._frame, self._step)
        except (Undecided, ConfigUnusable) as stopped:
            self._preview_config()
            if isinstance(stopped, ConfigUnusable):
                self._entered = replace(self._entered, failure=f"step '{self._step.id}': {stopped}")
                raise
            return
        self._entered = replace(self._entered, following=following, effects=self._run.take_effects(), decided=True)
        self._preview_config()

    def _preview_config(self) -> None:
        resolved = dict(self._run.resolved_config(self._frame, self._step))
        unknown = unknown_pointers(resolved, ("config",))
        self._note(
            config=_mask_config(self._catalog, self._step, resolved), unknown=(*self._entered.preview.unknown, *unknown)
        )
        if self._step.block is None and not unknown:
            _check_action(self._catalog, self._step, self._separated(resolved))
            self._entered = replace(self._entered, computed=_compute_output(self._catalog, self._step, resolved))
        elif self._entered.decided and not unknown:
            self._note(output=self._intent())

    def _separated(self, resolved: JsonObject) -> JsonObject:
        """The resolved config as its connector gets it: one expression gives one of several values. Raises
        ExpressionError, UnknownAction."""
        step, separated = self._step, self._catalog.get(self._step.type).separate(dict(self._step.config))
        if not step.templated or separated == step.config:
            return resolved
        return dict(self._run.value(self._frame, step, separated, "config"))

    def _intent(self) -> JsonObject:
        """The effect of the block; for a block without config or commands, its output."""
        behaviour, read = behaviour_of(self._step), self._run.config_of(self._step)
        intent = behaviour.intent(self._step, read, self._run.now) if behaviour else {}
        return intent or dict(self._frame.outputs.get(self._step.key) or {})


def _mask_config(catalog: Catalog, step: Step, resolved: JsonObject) -> JsonObject:
    """Replace all secrets of the step by masks."""
    masked: JsonObject = mask_values(catalog.mask(step.type, resolved), catalog.secret_values(step.type, step.config))
    return masked


def _check_action(catalog: Catalog, step: Step, config: JsonObject) -> None:
    """Validate the config, except for fields of connections and fields with secrets, which are not resolved. Raises
    ConfigUnusable, UnknownAction."""
    connector = catalog.get(step.type)
    secret = {key: value for key, value in step.config.items() if masked_secrets(value)} if step.templated else {}
    given = {key: config[key] for key in connector.given(step.config)}
    problems = connector.problems({**given, **secret}, "")
    if problems:
        found = "; ".join(f"{dotted(parsed(problem.pointer))}: {problem.message}".lstrip(": ") for problem in problems)
        raise ConfigUnusable(f"the config of {step.type} cannot be used: {found}")


def _compute_output(catalog: Catalog, step: Step, config: Mapping[str, Any]) -> JsonObject | None:
    """The output of a step whose connector calls nobody. Raises ConnectorError."""
    connector = catalog.get(step.type)
    return None if connector.computes is None else connector.computes(connector.parse(config))
