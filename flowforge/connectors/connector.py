"""The declaration of a connector, and the decorator that makes a function into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from flowforge.connectors.config import ConnectorConfig, holds_expression, located_messages, secret_keys
from flowforge.connectors.context import StepContext
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.summaries import NO_SUMMARY, Summary
from flowforge.errors import Problem
from flowforge.icons import require_icon

C = TypeVar("C", bound=ConnectorConfig)


Check = Callable[[Mapping[str, Any], StepContext], bool]
"""Tries a connection out, with its config; false where that could not be done. Raises ConnectorError."""


@dataclass(frozen=True)
class ConnectionType:
    """What the steps of a connector can share: the part of its config that is kept once, under a name."""

    name: str
    title: str
    fields: tuple[str, ...]
    """As they are written in a config: `webhookUrl`."""
    check: Check | None = None
    """None where nothing can be tried without doing something."""


CONNECTION = "connection"
"""The key under which a config names a connection."""


@dataclass(frozen=True)
class Connector(Generic[C]):
    """A declared connector. Raises ValueError for an icon that the sprite does not have."""

    action_type: str
    config: type[C]
    run: Callable[[C, StepContext], dict[str, Any]]
    title: str
    help: str
    icon: str
    """The id of a symbol in `static/icons.svg`."""
    keywords: tuple[str, ...] = ()
    """Other words under which people look for it."""
    summary: Summary = NO_SUMMARY
    computes: Callable[[C], dict[str, Any]] | None = None
    """Gives the output of a config without calling anybody; None where only running the step tells it."""
    repeatable: bool = False
    """Whether doing it twice harms nobody."""
    connection: ConnectionType | None = None

    def __post_init__(self) -> None:
        require_icon(self.icon)

    def parse(self, config: Mapping[str, Any]) -> C:
        """The config with its expressions resolved. Raises ConnectorError naming the fields, not their values."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(p)}: {m}" if p else m for p, m in located_messages(error))
            raise ConnectorError(
                f"the config of {self.action_type} cannot be used: {problems}", permanent=True
            ) from None

    def problems(self, config: Mapping[str, Any], pointer: str) -> list[Problem]:
        """What is wrong with a config before its expressions are resolved: a field that holds one is not judged, nor
        what a connection may give."""
        given = self.connection.fields if self.connection and config.get(CONNECTION) else None
        try:
            self.config.model_validate(config)
        except ValidationError as error:
            return [
                Problem("/".join((pointer, *path)), message)
                for path, message in located_messages(error)
                if not holds_expression(config, path) and (given is None or (path and path[0] not in given))
            ]
        return []

    def secret_keys(self) -> Iterator[str]:
        """Every key of the config under which a secret may stand."""
        return secret_keys(self.config)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": self.action_type,
            "title": self.title,
            "help": self.help,
            "icon": self.icon,
            "repeatable": self.repeatable,
            "connection": self.connection.name if self.connection else None,
            "config": self.config.model_json_schema(by_alias=True),
            "keywords": self.keywords,
        }

    def connection_schema(self) -> dict[str, Any]:
        """Of the part of its config that a connection holds."""
        schema = self.config.model_json_schema(by_alias=True)
        fields = self.connection.fields if self.connection else ()
        return {"type": "object", "properties": {name: schema["properties"][name] for name in fields}}


def connector(
    action_type: str,
    config: type[C],
    *,
    title: str,
    help: str,  # noqa: A002  (the field's word, and what the declaration reads best with)
    icon: str,
    keywords: tuple[str, ...] = (),
    summary: Summary = NO_SUMMARY,
    computes: Callable[[C], dict[str, Any]] | None = None,
    repeatable: bool = False,
    connection: ConnectionType | None = None,
) -> Callable[[Callable[[C, StepContext], dict[str, Any]]], Connector[C]]:
    """Makes a function into a connector; see Connector for what the parts mean."""

    def declare(run: Callable[[C, StepContext], dict[str, Any]]) -> Connector[C]:
        return Connector(
            action_type, config, run, title, help, icon, keywords, summary, computes, repeatable, connection
        )

    return declare
