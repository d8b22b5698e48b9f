"""Connectors as third parties might write them: each returns or raises something it should not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from flowforge.connectors.sdk import Connector, ConnectorConfig, ConnectorError, StepContext, connector, secret


class Config(ConnectorConfig):
    token: str = secret("", title="Token")


class Broken(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


def giving(make: Callable[[Config], Any]) -> Connector[Config]:
    @connector("STRANGE", Config, title="Strange", help="Misbehaves.", icon="alert")
    def run(config: Config, context: StepContext) -> dict[str, Any]:
        output: dict[str, Any] = make(config)
        return output

    return run


def raising(error: BaseException) -> Connector[Config]:
    def fail(_: Config) -> Any:
        raise error

    return giving(fail)


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


def _leave(_: Config) -> Any:
    sys.exit("enough")


LARGE = "x" * 1_000_000

FAILING: dict[str, tuple[Connector[Config], str]] = {
    "too deep": (
        giving(lambda _: _nested(240)),
        "the step's output cannot be written as JSON: it is nested too deeply",
    ),
    "far too deep": (
        giving(lambda _: _nested(100_000)),
        "the step's output cannot be written as JSON: it is nested too deeply",
    ),
    "in itself": (giving(lambda _: _endless()), "the step's output has more than 1048576 bytes, which is the limit"),
    "too large": (
        giving(lambda _: {"a": "ü" * 600_000}),
        "the step's output has 1200008 bytes; the limit is 1048576",
    ),
    "the same large text many times": (
        giving(lambda _: {"a": [LARGE] * 10_000}),
        "the step's output has more than 1048576 bytes, which is the limit",
    ),
    "no JSON": (
        giving(lambda _: {"a": object()}),
        "the step's output cannot be written as JSON: object is not JSON serialisable",
    ),
    "a number too large": (
        giving(lambda _: {"a": 10**5_000}),
        "the step's output cannot be written as JSON: a whole number has more than 2,000 digits",
    ),
    "a list": (giving(lambda _: [1]), "connector STRANGE gave list, not an object"),
    "nothing": (giving(lambda _: None), "connector STRANGE gave NoneType, not an object"),
    "an error": (raising(KeyError("a")), "KeyError in connector STRANGE: 'a'"),
    "an exit": (giving(_leave), "SystemExit in connector STRANGE: enough"),
    "an error without a text": (
        raising(Broken()),
        "Broken in connector STRANGE: (its text cannot be made: RuntimeError)",
    ),
    "an error with half a character": (raising(ConnectorError("a\ud800b", True)), "a\ufffdb"),
    "an error as long as a book": (raising(ConnectorError("x" * 5_000_000, True)), "x" * 1_000 + "…"),
    "memory": (raising(MemoryError()), "MemoryError in connector STRANGE: "),
}
"""By name: the connector, and the error that its user sees."""
