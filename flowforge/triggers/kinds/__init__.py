"""All kinds of triggers there are: each file of this package declares one, and so do actions that can be polled."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from flowforge.connectors.catalog import load_catalog
from flowforge.jsonio import JsonObject
from flowforge.settings import Settings
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.polling.kind import PolledKind
from flowforge.triggers.polling.polled_action import PolledAction


@cache
def trigger_kinds() -> Mapping[str, TriggerKind[Any]]:
    """Collect the kinds by type, in the order in which they are offered: those of this package first."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds = [value for module in modules for value in vars(module).values() if isinstance(value, TriggerKind)]
    own = sorted(kinds, key=lambda kind: kind.rank)
    return {kind.type: kind for kind in [*own, *_polled_actions(own[-1].rank)]}


def _polled_actions(rank: int) -> Iterator[PolledAction]:
    """`rank`: that of the last of the others."""
    catalog = load_catalog()
    for connector in catalog.connectors():
        if connector.polls is not None:
            rank += 1
            yield PolledAction(connector, connector.polls, catalog.kinds_for(connector), rank)


def find_kind(type_: object) -> TriggerKind[Any] | None:
    """The kind of that type, in any case; None for what an adopted row may hold in its stead."""
    return trigger_kinds().get(type_.lower()) if isinstance(type_, str) else None


def sample_payload(trigger: object) -> JsonObject:
    """A payload as the `trigger` of a definition, in any state, gives it; empty where nobody can say."""
    written = trigger if isinstance(trigger, Mapping) else {}
    kind, config = find_kind(written.get("type")), written.get("config")
    return kind.sample(config if isinstance(config, Mapping) else {}) if kind else {}


def find_registered_kind(type_: object) -> TriggerKind[Any] | None:
    """Find a kind by its type among those that have registrations."""
    kind = find_kind(type_)
    return kind if kind is not None and kind.is_registered else None


def registered_types() -> list[str]:
    return [type_ for type_, kind in trigger_kinds().items() if kind.is_registered]


def find_polled_kind(type_: object) -> PolledKind[Any] | None:
    kind = find_kind(type_)
    return kind if isinstance(kind, PolledKind) else None


def polled_types(settings: Settings) -> list[str]:
    """The types whose triggers are polled, where the operator has not switched that off."""
    kinds = trigger_kinds().items()
    return [type_ for type_, kind in kinds if isinstance(kind, PolledKind) and kind.is_on(settings)]


def timed_types() -> list[str]:
    return [type_ for type_, kind in trigger_kinds().items() if kind.has_times]


def connected_types() -> list[str]:
    """The types whose configs may name a connection."""
    return [type_ for type_, kind in trigger_kinds().items() if kind.connection_kinds]


@cache
def secret_keys() -> tuple[str, ...]:
    """The keys under which any kind has a secret.

    A config may have been written for another kind than it stands under, so these are secret in all of them.
    """
    return tuple(sorted({key for kind in trigger_kinds().values() for key in kind.secret_keys()}))
