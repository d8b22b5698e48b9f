"""REDIS: values, counters, lists and messages on a server of Redis or Valkey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, model_validator

from flowforge import jsonio
from flowforge.connectors.connection_kinds.redis import REDIS
from flowforge.connectors.sdk import ConnectorConfig, ConnectorError, StepContext, chosen_by, connector, field, joined
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

Operation = Literal["get", "set", "increment", "expire", "delete", "publish", "push", "pop"]
Ask = Callable[..., Any]
_LARGEST_VALUE = 1024 * 1024
_SECONDS_A_CENTURY = 100 * 366 * 24 * 3600


class Config(ConnectorConfig):
    model_config = ConfigDict(json_schema_extra=chosen_by("operation"))

    operation: Operation = field("get", title="Operation")
    key: str = field(title="Key", description="For publish: the channel.", max_length=1024)
    value: Any = field(
        None,
        title="Value",
        description="For set, publish and push: a text as it is, anything else as JSON.",
        required_for=("set", "publish", "push"),
    )
    amount: int = field(
        1,
        title="Amount",
        description="For increment: negative counts down.",
        ge=-(2**63),
        lt=2**63,
        only_for=("increment",),
    )
    seconds: int | None = field(
        None,
        title="Seconds",
        description="For set and expire: the key is gone after them.",
        ge=1,
        le=_SECONDS_A_CENTURY,
        only_for=("set", "expire"),
    )
    end: Literal["left", "right"] = field(
        "right", title="End of the list", description="For push and pop.", only_for=("push", "pop")
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        if self.operation in ("set", "publish", "push") and self.value is None:
            raise ValueError(sentence("value is required for %(operation)s", operation=self.operation))
        if self.operation == "expire" and self.seconds is None:
            raise ValueError(sentence("seconds is required for expire"))
        return self


@connector(
    "REDIS",
    Config,
    title="Redis",
    help="Reads and writes values, counts, pushes and pops, or publishes on Redis or Valkey.",
    icon="table",
    keywords=("redis", "valkey", "cache", "queue", "counter", "publish"),
    summary=joined("operation", "key"),
    repeatable=lambda config: config.get("operation", "get") == "get",
    connections=(REDIS,),
)
def redis_command(config: Config, context: StepContext) -> JsonObject:
    with context.open_connection() as session:
        return _RUN[config.operation](config, session.ask)


def _get(config: Config, ask: Ask) -> JsonObject:
    size = ask("STRLEN", config.key)
    if size > _LARGEST_VALUE:
        raise ConnectorError(f"the value has {size} bytes; a step takes {_LARGEST_VALUE}", permanent=True)
    return {"value": _text(ask("GET", config.key))}


def _set(config: Config, ask: Ask) -> JsonObject:
    ask("SET", config.key, _bytes(config.value), *(("EX", config.seconds) if config.seconds else ()))
    return {"key": config.key}


def _pop(config: Config, ask: Ask) -> JsonObject:
    value = ask("RPOP" if config.end == "right" else "LPOP", config.key)
    return {"value": _text(value)}


def _push(config: Config, ask: Ask) -> JsonObject:
    """A list is pushed member by member."""
    members = config.value if isinstance(config.value, list) else [config.value]
    if not members:
        return {"length": ask("LLEN", config.key)}
    return {"length": ask("RPUSH" if config.end == "right" else "LPUSH", config.key, *map(_bytes, members))}


_RUN: Mapping[Operation, Callable[[Config, Ask], JsonObject]] = {
    "get": _get,
    "set": _set,
    "increment": lambda config, ask: {"value": ask("INCRBY", config.key, config.amount)},
    "expire": lambda config, ask: {"found": bool(ask("EXPIRE", config.key, config.seconds))},
    "delete": lambda config, ask: {"found": bool(ask("DEL", config.key))},
    "publish": lambda config, ask: {"receivers": ask("PUBLISH", config.key, _bytes(config.value))},
    "push": _push,
    "pop": _pop,
}


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else jsonio.dumps(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
