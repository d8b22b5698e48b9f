"""What a step's config tells by how it is written: many attempts have the same one, and need not look again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from flowforge import jsonio
from flowforge.connectors.catalog import Catalog
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import VARIABLES
from flowforge.language.expressions.secret_values import SECRETS
from flowforge.language.expressions.template import holds_expression

_MOST_KEPT = 1_000
_LONGEST_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class ConfigForm:
    holds_secrets: bool
    """Whether anything in it is a secret, sealed or not, by its field or its name."""
    names_secrets: bool
    """Whether its expressions may name secrets of the account."""
    names_variables: bool
    computed: frozenset[str]
    """The fields that hold expressions."""


class ConfigForms:
    """The forms of the configs that came last; of those that hold secrets nothing is kept. Safe between threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept: OrderedDict[tuple[str, bytes], ConfigForm] = OrderedDict()

    def of(self, type_: str, config: JsonObject) -> ConfigForm:
        """The form of a config as it is written, nothing of it computed."""
        key = type_, jsonio.dumps(config)
        found = self._kept.get(key)
        if found is None:
            found = self._read(type_, config, key[1])
            if len(key[1]) <= _LONGEST_KEPT and not found.holds_secrets:
                self._kept[key] = found
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return found

    def _read(self, type_: str, config: JsonObject, written: bytes) -> ConfigForm:
        return ConfigForm(
            self._catalog.holds_secrets(type_, config),
            SECRETS.encode() in written,
            VARIABLES.encode() in written,
            frozenset(name for name, value in config.items() if holds_expression(value)),
        )
