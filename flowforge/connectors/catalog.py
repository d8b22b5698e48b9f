"""All connectors there are: the files of this package, and those other packages offer."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from flowforge.connectors import actions
from flowforge.connectors.sdk import Connector
from flowforge.errors import FlowForgeError, Problem
from flowforge.secrets import Vault, mask_fields, open_fields, seal_fields, unmask_fields

ENTRY_POINTS = "flowforge.connectors"


class UnknownAction(FlowForgeError):
    """No connector has that type."""


class Catalog:
    """Connectors by type, in any case. Unknown types are kept whole: nothing is known to be secret in them."""

    def __init__(self, connectors: Mapping[str, Connector[Any]], disabled: Mapping[str, str]) -> None:
        self._connectors = dict(connectors)
        self.disabled = dict(disabled)
        """Modules that could not be loaded, with the reason."""

    def types(self) -> list[str]:
        return sorted(self._connectors)

    def get(self, type_: str) -> Connector[Any]:
        """Raises UnknownAction, naming the nearest type there is."""
        found = self._connectors.get(type_.upper())
        if found is None:
            near = get_close_matches(type_.upper(), self._connectors, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownAction(f"there is no action type {type_!r}{hint}")
        return found

    def connections(self) -> dict[str, Connector[Any]]:
        """By the name of the connection type, the connector that declares it."""
        found: dict[str, Connector[Any]] = {}
        for type_ in self.types():
            connector = self._connectors[type_]
            if connector.connection is not None:
                found.setdefault(connector.connection.name, connector)
        return found

    def validate(self, type_: str, config: Mapping[str, Any] | None, pointer: str) -> list[Problem]:
        """`pointer` is the action's; problems point to its type or into its config."""
        try:
            return self.get(type_).problems(config or {}, f"{pointer}/config")
        except UnknownAction as error:
            return [Problem(f"{pointer}/type", str(error))]

    def seal(
        self,
        type_: str,
        config: Mapping[str, Any],
        vault: Vault,
        previous: Mapping[str, Any] | None,
        *,
        literal: bool = False,
    ) -> dict[str, Any]:
        """See `seal_fields`."""
        return seal_fields(config, self._secret_keys(type_), vault, previous, literal=literal)

    def mask(self, type_: str, config: Mapping[str, Any], *, literal: bool = False) -> dict[str, Any]:
        return mask_fields(config, self._secret_keys(type_), literal=literal)

    def unmask(self, type_: str, config: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """See `unmask_fields`."""
        return unmask_fields(config, self._secret_keys(type_), stored)

    def open(self, type_: str, config: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
        """Raises SecretUnreadable."""
        return open_fields(config, self._secret_keys(type_), vault)

    def secret_values(self, type_: str, opened: Mapping[str, Any]) -> list[str]:
        """The secrets in an opened config, to keep them out of outputs and messages."""
        values: list[Any] = []
        for key in self._secret_keys(type_):
            value = opened.get(key)
            values += value.values() if isinstance(value, Mapping) else [value]
        return [value for value in values if isinstance(value, str) and value]

    def _secret_keys(self, type_: str) -> list[str]:
        found = self._connectors.get(type_.upper())
        return list(found.secret_keys()) if found else []


@cache
def load_catalog() -> Catalog:
    """Our connectors and those of installed packages, read once per process."""
    return read_catalog(_modules())


def read_catalog(modules: Iterable[str]) -> Catalog:
    """The connectors that the modules declare. One that cannot be loaded is left out and named, the others work."""
    connectors: dict[str, Connector[Any]] = {}
    disabled: dict[str, str] = {}
    for name in modules:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  (a broken package of somebody else's must not stop ours)
            disabled[name] = f"{type(error).__name__}: {error}"
            continue
        for value in vars(module).values():
            if isinstance(value, Connector):
                connectors[value.action_type] = value
    return Catalog(connectors, disabled)


def _modules() -> list[str]:
    ours = [f"{actions.__name__}.{info.name}" for info in pkgutil.iter_modules(actions.__path__)]
    return [*ours, *(point.module for point in entry_points(group=ENTRY_POINTS))]
