"""What a step would do, worked out without doing it: its config resolved, and of a block which way it would go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.execution.machine import FOREVER, holds
from flowforge.language.blocks import BLOCKS, BlockType, ConfigUnusable, WaitConfig
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.unknown import unknown_in, without_unknown
from flowforge.language.plan import Step
from flowforge.language.pointers import dotted
from flowforge.language.pointers import parsed as parsed_pointer
from flowforge.secrets import mask_values
from flowforge.workflows.credentials import masked_secrets

Json = dict[str, Any]
_LATER = {BlockType.FOR_EACH: "collect"}
"""What is computed inside the block, not where it begins."""


@dataclass(frozen=True, slots=True)
class StepPreview:
    """`runs` None, `output` None: it depends on what is not known; `unknown` points to what does, in the step."""

    runs: bool | None = True
    config: Json | None = None
    """Resolved, its secrets masked; notes stand where a value is not known."""
    output: Json | None = None
    """Of a block: what it would do."""
    error: str | None = None
    place: str | None = None
    """Where the error is, such as `config.rows[0]`."""
    unknown: list[str] = field(default_factory=list)


def preview_step(
    catalog: Catalog, step: Step, roots: Mapping[str, Any], unknown: Collection[str], now: datetime
) -> StepPreview:
    """Never calls anybody. The step's secrets are in clear; `unknown` names the steps whose outputs are not among the
    roots because nobody knows them."""
    runs: bool | None = True
    config: Json | None = None
    places: list[str] = []
    try:
        runs = _runs(step, roots, unknown)
        if runs is False:
            return StepPreview(runs=False)
        resolved, places = _config(step, roots, unknown)
        config = masked(catalog, step, resolved)
        output = None if places else _checked(catalog, step, resolved, roots, unknown, now)
    except ExpressionError as error:
        return StepPreview(runs, config, None, str(error), error.field, places)
    except (ConfigUnusable, UnknownAction) as error:
        return StepPreview(runs, config, None, f"step '{step.id}': {error}", "config", places)
    return StepPreview(runs, config, output, unknown=[*(["/when"] if runs is None else []), *places])


def masked(catalog: Catalog, step: Step, resolved: Json) -> Json:
    """As it may be shown: no secret of the step is left in it."""
    shown: Json = mask_values(catalog.mask(step.type, resolved), catalog.secret_values(step.type, step.config))
    return shown


def _runs(step: Step, roots: Mapping[str, Any], unknown: Collection[str]) -> bool | None:
    return True if step.when is None else _holds(step, step.when, "when", roots, unknown)


def _holds(
    step: Step, condition: bool | str, name: str, roots: Mapping[str, Any], unknown: Collection[str]
) -> bool | None:
    """None where it depends on what is not known. Raises ExpressionError."""
    if isinstance(condition, str) and unknown_in(condition, unknown):
        return None
    return holds(resolve(condition, roots, step=step.id, field=name) if step.templated else condition)


def _config(step: Step, roots: Mapping[str, Any], unknown: Collection[str]) -> tuple[Json, list[str]]:
    """Raises ExpressionError."""
    later = _LATER.get(step.block) if step.block else None
    written = {key: value for key, value in step.config.items() if key != later}
    if not step.templated:
        return written, []
    noted, places = without_unknown(written, unknown, ("config",))
    resolved: Json = resolve(noted, roots, step=step.id, field="config")
    return resolved, places


def _checked(
    catalog: Catalog, step: Step, config: Json, roots: Mapping[str, Any], unknown: Collection[str], now: datetime
) -> Json | None:
    """What a block would do; of an action nothing but whether its config can be used. Raises ConfigUnusable,
    UnknownAction and ExpressionError."""
    if step.block is None:
        _check_action(catalog, step, config)
        return None
    parsed = BLOCKS[step.type].parse(config)
    match step.block:
        case BlockType.BRANCH:
            return _way(step, roots, unknown)
        case BlockType.PARALLEL:
            return {"branches": [body.name for body in step.bodies]}
        case BlockType.FOR_EACH:
            return {"count": len(parsed.items), "items": parsed.items[:20]}
        case BlockType.WAIT:
            return _wait(parsed, now)
    told: Json = parsed.model_dump(by_alias=True, mode="json")
    return told


def _check_action(catalog: Catalog, step: Step, config: Json) -> None:
    """What a connection gives is not judged, nor what takes a secret: nobody looks at these. Raises ConfigUnusable,
    UnknownAction."""
    secret = {key: value for key, value in step.config.items() if masked_secrets(value)} if step.templated else {}
    problems = catalog.get(step.type).problems({**config, **secret}, "")
    if problems:
        told = "; ".join(f"{dotted(parsed_pointer(one.pointer))}: {one.message}".lstrip(": ") for one in problems)
        raise ConfigUnusable(f"the config of {step.type} cannot be used: {told}")


def _way(step: Step, roots: Mapping[str, Any], unknown: Collection[str]) -> Json | None:
    for number, body in enumerate(step.bodies):
        goes = True
        if body.when is not None:
            told = _holds(step, body.when, f"branches[{number}].when", roots, unknown)
            if told is None:
                return None
            goes = told
        if goes:
            return {"branch": body.name}
    return {"branch": None}


def _wait(config: WaitConfig, now: datetime) -> Json:
    if config.for_ is None:
        return {"until": config.ends(now)}
    until = now + (FOREVER if config.timeout is None else timedelta(seconds=config.timeout))
    return {"for": config.for_, "message": config.message, "until": until, "onTimeout": config.on_timeout}
