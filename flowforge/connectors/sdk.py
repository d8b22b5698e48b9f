"""What a connector is made of. One file declares everything: config, help, secrets, and what it does.

class Config(ConnectorConfig):
    webhook_url: str = secret(title="Webhook URL")

@connector("SLACK_MESSAGE", Config, title="Slack message", help="…", icon="slack")
def run(config: Config, context: StepContext) -> dict[str, Any]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from flowforge.errors import Problem

if TYPE_CHECKING:
    from flowforge.connectors.http import HttpClient
    from flowforge.connectors.mail import MailServer


def secret(default: Any = ..., **declared: Any) -> Any:
    """A pydantic Field whose text (or, in an object, whose values) is sealed at rest and masked in every answer."""
    return Field(default, json_schema_extra={"secret": True, "writeOnly": True}, **declared)


class ConnectorError(Exception):
    """The step failed. `permanent`: trying again cannot help. `retry_after`: seconds the receiver asked for.

    The text is shown to people and logged, so it never quotes a secret.
    """

    def __init__(self, message: str, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class ConnectorConfig(BaseModel):
    """Base of config models: camelCase outside, unknown keys ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


C = TypeVar("C", bound=ConnectorConfig)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every connector may use to reach the world: bounded, and kept out of private networks."""

    http: HttpClient
    mail: MailServer


@dataclass(frozen=True, slots=True)
class StepContext:
    """Which attempt of which step runs, and until when (`deadline`, of time.monotonic)."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    step_index: int
    step_id: str
    attempt: int
    idempotency_key: str
    """The same for every try of one attempt: receivers can drop repeats by it."""
    deadline: float
    trigger: Mapping[str, Any]
    steps: Mapping[str, Any]
    tools: Tools
    secrets: list[str] = field(default_factory=list)
    """Texts that are masked in outputs and errors. A connector adds what it makes of its secrets, such as a header."""


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
    """A declared connector."""

    action_type: str
    config: type[C]
    run: Callable[[C, StepContext], dict[str, Any]]
    title: str
    help: str
    icon: str
    repeatable: bool
    """Whether doing it twice harms nobody."""
    connection: ConnectionType | None = None

    def parse(self, config: Mapping[str, Any]) -> C:
        """The config with its expressions resolved. Raises ConnectorError naming the fields, not their values."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(p)}: {m}" if p else m for p, m in _problems(error))
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
                for path, message in _problems(error)
                if not _has_expression(_reach(config, path)) and (given is None or (path and path[0] not in given))
            ]
        return []

    def secret_keys(self) -> Iterator[str]:
        """Every key of the config under which a secret may stand."""
        for name, declared in self.config.model_fields.items():
            extra = declared.json_schema_extra
            if isinstance(extra, dict) and extra.get("secret"):
                yield from {name, *_aliases(declared.alias), *_aliases(declared.validation_alias)}

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": self.action_type,
            "title": self.title,
            "help": self.help,
            "icon": self.icon,
            "repeatable": self.repeatable,
            "connection": self.connection.name if self.connection else None,
            "config": self.config.model_json_schema(by_alias=True),
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
    repeatable: bool = False,
    connection: ConnectionType | None = None,
) -> Callable[[Callable[[C, StepContext], dict[str, Any]]], Connector[C]]:
    """Makes a function into a connector."""

    def declare(run: Callable[[C, StepContext], dict[str, Any]]) -> Connector[C]:
        return Connector(action_type, config, run, title, help, icon, repeatable, connection)

    return declare


def _problems(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    for problem in error.errors(include_url=False, include_input=False):
        yield tuple(str(part) for part in problem["loc"]), problem["msg"].removeprefix("Value error, ")


def _aliases(alias: object) -> list[str]:
    if isinstance(alias, str):
        return [alias]
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return []


def _reach(value: Any, path: tuple[str, ...]) -> Any:
    """The value a problem is about; the innermost that exists where the path names a type variant."""
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return value if not isinstance(value, Mapping) else None
    return value


def _has_expression(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(_has_expression(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_expression(inner) for inner in value)
