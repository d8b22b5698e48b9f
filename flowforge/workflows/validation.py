"""Validation of a definition beyond its shape: its language, its connectors' configs, its trigger, its masks.

Needs no database, so that a file is judged before it reaches a server by the very words the server has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from pydantic import BaseModel

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.masked_secrets import masks_of_nothing, secret_keys, stored_configs
from flowforge.connectors.sdk import CONNECTION
from flowforge.errors import MAX_PROBLEMS, Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.check import check
from flowforge.language.definition import ActionDefinition, Reading, WorkflowDefinition
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in
from flowforge.language.unknown_keys import warnings_of
from flowforge.sentences import sentence
from flowforge.triggers.kinds import find_kind, trigger_kinds
from flowforge.triggers.validation import problems_of_config, warnings_of_config


@dataclass(frozen=True, slots=True)
class Before:
    """The stored parts of the workflow: a mask in a new definition keeps the secret that is stored here."""

    actions: Any = None
    trigger: Any = None


def validate_definition(catalog: Catalog, reading: Reading, before: Before) -> list[Problem]:
    """Every problem of what could be read, the workflows it calls aside: they are in the database."""
    definition = reading.definition
    if definition is None:
        return []
    found = [
        *check(definition, reading.unidentified_steps),
        *_problems_of_actions(catalog, definition, before.actions),
        *_problems_of_trigger(definition, before.trigger),
    ]
    return [problem for problem in found if not reading.concerns_removed_part(problem)]


def warnings_of_definition(catalog: Catalog, written: JsonObject, known: Collection[str] = ()) -> list[Problem]:
    """A warning for each key of a definition, as it is written, that has no effect, or none that anybody can want;
    MAX_PROBLEMS at most. `known`: keys beside its own that have a meaning to whoever wrote it."""
    found = chain(_unknown_keys(catalog, written, known), _idle_policies(catalog, written))
    return list(islice(found, MAX_PROBLEMS))


def _unknown_keys(catalog: Catalog, written: JsonObject, known: Collection[str]) -> Iterator[Problem]:
    yield from warnings_of(WorkflowDefinition, written, (), known)
    trigger = written.get("trigger")
    kind = find_kind(trigger.get("type")) if isinstance(trigger, dict) else None
    if kind is not None:
        yield from warnings_of_config(kind, config_of(trigger) or {}, ("trigger", "config"))
    for path, action in actions_in(written.get("actions")):
        yield from warnings_of(ActionDefinition, action, path)
        model = _config_model(catalog, str(action.get("type", "")).upper())
        if model is not None:
            yield from warnings_of(model, config_of(action), (*path, "config"), (CONNECTION,))


def _idle_policies(catalog: Catalog, written: JsonObject) -> Iterator[Problem]:
    for path, action in actions_in(written.get("actions")):
        type_ = str(action.get("type", "")).upper()
        if action.get("afterCrash") is not None and catalog.calls_nobody(type_):
            yield Problem(
                pointer((*path, "afterCrash")),
                sentence("is not needed: %(type)s calls nobody, so that it can always be done again", type=type_),
            )


def _config_model(catalog: Catalog, type_: str) -> type[BaseModel] | None:
    if type_ in BLOCKS:
        return BLOCKS[type_].config
    return catalog.get(type_).config if type_ in catalog else None


def config_of(part: Any) -> JsonObject | None:
    """Find the config of a trigger or an action as it is stored; an adopted row may have any shape."""
    config = part.get("config") if isinstance(part, dict) else None
    return config if isinstance(config, dict) else None


def flat(actions: Any) -> list[JsonObject]:
    """All actions, those inside others too, in the order in which they are written."""
    return [action for _, action in actions_in(actions)]


def _problems_of_actions(catalog: Catalog, definition: WorkflowDefinition, stored: Any) -> list[Problem]:
    problems: list[Problem] = []
    written = list(actions_in(definition.dump()["actions"]))
    before_each = stored_configs(catalog, [action for _, action in written], flat(stored))
    for (path, action), before in zip(written, before_each, strict=True):
        type_, config, at = action["type"], action.get("config") or {}, pointer(path)
        if type_ not in BLOCKS:
            problems += catalog.validate(type_, config, at)
        problems += masks_of_nothing(config, secret_keys(catalog, type_), before, f"{at}/config")
    return problems


def _problems_of_trigger(definition: WorkflowDefinition, stored: Any) -> list[Problem]:
    trigger = definition.trigger
    if trigger is None:
        return []
    kind = find_kind(trigger.type)
    if kind is None:
        return [Problem("/trigger/type", sentence("must be one of %(choices)s", choices=", ".join(trigger_kinds())))]
    return problems_of_config(kind, trigger.config, "/trigger/config", config_of(stored))
