"""The config of a step with its expressions computed: as its connector gets it, and as people may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowforge.connectors.sdk import Connector, ConnectorError
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.secret_values import masked, revealed, secrets_in
from flowforge.secrets import SHORTEST_MASKED

MOST_PARTS = 200
"""Texts and numbers that one step may make from secrets and send: each is looked for in all that comes back."""


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """`usable` is for the moment of the call only; `shown` has masks where it holds what was made from secrets."""

    usable: JsonObject
    shown: JsonObject
    parts: tuple[str, ...] = ()
    """The texts and numbers in `usable` that were made from secrets: receivers may send them back."""

    @classmethod
    def without_secrets(cls, config: JsonObject) -> ResolvedConfig:
        return cls(config, config)

    @classmethod
    def of(cls, connector: Connector[Any], resolved: JsonObject, named: Collection[str]) -> ResolvedConfig:
        """`resolved`: with a Secret for each value made from secrets; `named`: the secrets themselves.

        A connector that calls nobody, or keeps what it is given, gets them in the fields only that it declares to be
        secret: anywhere else, what it makes of them could but end up in its output, or stay. Raises ConnectorError
        where there are too many.
        """
        shown: JsonObject = masked(resolved)
        if connector.computes is not None or connector.keeps:
            resolved = {**shown, **{key: resolved[key] for key in connector.secret_keys() if key in resolved}}
        parts = tuple(islice(_parts(resolved, named), MOST_PARTS + 1))
        if len(parts) > MOST_PARTS:
            raise ConnectorError(f"the config has more than {MOST_PARTS} values made from secrets", permanent=True)
        return cls(revealed(resolved), shown, parts)


def _parts(resolved: JsonObject, named: Collection[str]) -> Iterator[str]:
    """The texts and numbers made from secrets, as text. A short secret by itself (`eu`, `1`) is too common to be looked
    for."""
    for part in secrets_in(resolved):
        if isinstance(part, str | int | float) and not isinstance(part, bool):
            text = str(part)
            if text and (len(text) >= SHORTEST_MASKED or text not in named):
                yield text
