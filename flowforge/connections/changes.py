"""Connections as people and clients request them, read from their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flowforge.connections.validation import problems_of_config, problems_of_kind, problems_of_name
from flowforge.connectors.presets.all_presets import with_preset
from flowforge.connectors.sdk import ConnectionKind
from flowforge.errors import Problem, raise_any
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_NO_OBJECT = Problem("/config", sentence("must be an object"))


@dataclass(frozen=True, slots=True)
class NewConnection:
    name: str
    kind: ConnectionKind[Any]
    config: JsonObject

    @classmethod
    def read(cls, raw: Mapping[str, Any], kinds: Mapping[str, ConnectionKind[Any]]) -> Self:
        """Raises Invalid."""
        name, type_, config = raw.get("name"), raw.get("type"), with_preset(raw.get("config", {}))
        problems = [*problems_of_name(name), *problems_of_kind(type_, kinds)]
        if not isinstance(config, dict):
            problems.append(_NO_OBJECT)
        elif not problems_of_kind(type_, kinds):
            problems += problems_of_config(kinds[str(type_)], config, None)
        raise_any(problems)
        return cls(str(name), kinds[str(type_)], config)


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """A new config, in which masks keep what is stored. Its kind, which validates it, is the connection's."""

    config: JsonObject
    problems: tuple[Problem, ...] = ()

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        config = raw.get("config", {})
        return cls(config) if isinstance(config, dict) else cls({}, (_NO_OBJECT,))
