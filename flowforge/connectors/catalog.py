"""The catalog of connectors and connection kinds: those in our folders, and those of installed packages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from flowforge.connectors import actions, connection_kinds
from flowforge.connectors.fitting import Fitting
from flowforge.connectors.sdk import ConnectionKind, Connector
from flowforge.errors import FlowForgeError, Problem
from flowforge.jsonio import JsonObject
from flowforge.secrets import (
    Vault,
    mask_fields,
    open_fields,
    seal_fields,
    secret_entries,
    secret_values,
    unmask_fields,
    without_masks,
)
from flowforge.sentences import message_of, sentence

ENTRY_POINTS = "flowforge.connectors"


class UnknownAction(FlowForgeError):
    """No connector has that type."""


class Catalog:
    """Connectors by type, in any case, and the connection kinds they take. The config of an unknown type is left as it
    is: its secrets cannot be identified."""

    def __init__(
        self,
        connectors: Mapping[str, Connector[Any]],
        disabled: Mapping[str, str],
        kinds: Mapping[str, ConnectionKind[Any]] | None = None,
    ) -> None:
        self._connectors = dict(connectors)
        self.disabled = dict(disabled)
        """Modules that could not be loaded, with the reason."""
        self.connection_kinds = dict(sorted((kinds or {}).items()))
        """Connection kinds by name."""

    def types(self) -> list[str]:
        return sorted(self._connectors)

    def __contains__(self, type_: str) -> bool:
        return type_ in self._connectors

    def get(self, type_: str) -> Connector[Any]:
        """Raises UnknownAction, naming the nearest type there is."""
        found = self._connectors.get(type_.upper())
        if found is None:
            near = get_close_matches(type_.upper(), self._connectors, 1)
            hint = sentence("; did you mean %(name)s?", name=near[0]) if near else ""
            raise UnknownAction(sentence("there is no action type %(type)s%(hint)s", type=repr(type_), hint=hint))
        return found

    def is_repeatable(self, type_: str, config: Mapping[str, Any]) -> bool:
        """Whether doing it twice harms nobody, by its config as it is written; of an unknown type nobody can say so."""
        found = self._connectors.get(type_.upper())
        return found is not None and found.is_repeatable(config)

    def calls_nobody(self, type_: str) -> bool:
        """Whether its steps only compute."""
        found = self._connectors.get(type_.upper())
        return found is not None and found.computes is not None

    def connectors(self) -> list[Connector[Any]]:
        """All connectors, sorted by type."""
        return [self._connectors[type_] for type_ in self.types()]

    def kinds_for(self, connector: Connector[Any]) -> list[ConnectionKind[Any]]:
        """The kinds of connections that it takes, those that it names itself first."""
        others = (kind for kind in self.connection_kinds.values() if kind not in connector.connections)
        return [*connector.connections, *(kind for kind in others if connector.takes(kind))]

    def fitting(self, connector: Connector[Any]) -> Fitting:
        """The connections that it can use."""
        return Fitting(self.kinds_for(connector), connector.host, connector.mail)

    def kind_for(self, connector: Connector[Any], type_: str) -> ConnectionKind[Any] | None:
        """The kind of that type; None where there is none that the connector takes."""
        kind = self.connection_kinds.get(type_)
        return kind if kind is not None and connector.takes(kind) else None

    def validate(self, type_: str, config: Mapping[str, Any] | None, pointer: str) -> list[Problem]:
        """`pointer` is the action's; problems point to its type or into its config."""
        try:
            connector = self.get(type_)
            return connector.problems(connector.given(config or {}), f"{pointer}/config")
        except UnknownAction as error:
            return [Problem(f"{pointer}/type", message_of(error))]

    def seal(
        self,
        type_: str,
        config: Mapping[str, Any],
        vault: Vault,
        previous: Mapping[str, Any] | None,
        *,
        literal: bool = False,
        stored_here: bool = False,
    ) -> JsonObject:
        """See `seal_fields`."""
        keys = self._secret_keys(type_)
        return seal_fields(config, keys, vault, previous, literal=literal, stored_here=stored_here)

    def mask(self, type_: str, config: Mapping[str, Any], *, literal: bool = False) -> JsonObject:
        return mask_fields(config, self._secret_keys(type_), literal=literal)

    def unmask(self, type_: str, config: Mapping[str, Any], stored: Mapping[str, Any] | None) -> JsonObject:
        """See `unmask_fields`."""
        return unmask_fields(config, self._secret_keys(type_), stored)

    def without_masks(self, type_: str, config: Mapping[str, Any]) -> JsonObject:
        """See `without_masks` of secrets."""
        return without_masks(config, self._secret_keys(type_))

    def open(self, type_: str, config: Mapping[str, Any], vault: Vault) -> JsonObject:
        """Raises SecretUnreadable."""
        return open_fields(config, self._secret_keys(type_), vault)

    def holds_secrets(self, type_: str, config: Mapping[str, Any]) -> bool:
        """Whether it has any secrets, sealed or in clear."""
        return any(text for key in self._secret_keys(type_) for _, text in secret_entries(config, key))

    def secret_values(self, type_: str, opened: Mapping[str, Any]) -> list[str]:
        """See `secret_values`."""
        return secret_values(opened, self._secret_keys(type_))

    def _secret_keys(self, type_: str) -> tuple[str, ...]:
        found = self._connectors.get(type_.upper())
        return found.secret_keys() if found else ()


@cache
def load_catalog() -> Catalog:
    """Our connectors and those of installed packages, read once per process."""
    return read_catalog(_modules())


def read_catalog(modules: Iterable[str]) -> Catalog:
    """The declarations of the modules. A module that cannot be loaded is left out and named."""
    connectors: dict[str, Connector[Any]] = {}
    kinds: dict[str, ConnectionKind[Any]] = {}
    disabled: dict[str, str] = {}
    for name in modules:
        try:
            found = list(vars(importlib.import_module(name)).values())
            declared = [value for value in found if isinstance(value, Connector)]
            kinds |= _kinds_in(found, declared, kinds)
        except Exception as error:  # noqa: BLE001  (a broken package must not stop the others)
            disabled[name] = f"{type(error).__name__}: {error}"
        else:
            connectors |= {connector.type: connector for connector in declared}
    return Catalog(connectors, disabled, kinds)


def _kinds_in(
    found: Iterable[object], connectors: Iterable[Connector[Any]], earlier: Mapping[str, ConnectionKind[Any]]
) -> dict[str, ConnectionKind[Any]]:
    """The kinds that are declared, or taken by a connector. Raises ValueError for a second kind of the same name."""
    taken = [kind for connector in connectors for kind in connector.connections]
    kinds = [*(value for value in found if isinstance(value, ConnectionKind)), *taken]
    for kind in kinds:
        if earlier.get(kind.type, kind) is not kind:
            raise ValueError(f"there is another kind of connections by the name {kind.type!r} already")
    return {kind.type: kind for kind in kinds}


def _modules() -> list[str]:
    """The names of all modules to read. Ours come first, so that no package takes the name of one of our kinds."""
    ours = [
        info.name
        for folder in (connection_kinds, actions)
        for info in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}.")
    ]
    return [*ours, *(point.module for point in entry_points(group=ENTRY_POINTS))]
