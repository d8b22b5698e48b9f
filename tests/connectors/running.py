"""A connector's run, as an executor makes it: with its config parsed, and without its workflow."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.jsonio import JsonObject

T = TypeVar("T")
Step = Callable[..., JsonObject]
"""Runs an action of that type, with the config that is given by name."""


def run(type_: str, config: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """The output. Raises ConnectorError."""
    found = load_catalog().get(type_)
    result = found.run(found.parse(config), context)
    output: dict[str, Any] = ended(result) if inspect.iscoroutine(result) else result
    return output


def ended(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a step gives that waits in this thread."""
    return asyncio.run(coroutine)


def run_with(
    type_: str, kind: str, saved: Mapping[str, Any], config: dict[str, Any], context: StepContext
) -> dict[str, Any]:
    """The output of a step that names a connection of that kind. Raises ConnectorError."""
    connection = load_catalog().connection_kinds[kind].read(saved, context)
    return run(type_, config, replace(context, connection=connection))


def failing(run_step: Callable[..., object], *arguments: Any, **config: Any) -> ConnectorError:
    """The error that a step ends with."""
    with pytest.raises(ConnectorError) as caught:
        run_step(*arguments, **config)
    return caught.value


def received_by(httpserver: HTTPServer) -> list[Received]:
    """All requests, in their order."""
    return [request for request, _ in httpserver.log]


def tried_out(kind: str, saved: Mapping[str, Any], context: StepContext) -> bool:
    """Whether a connection of that kind is tried out, and works. Raises ConnectorError where it does not."""
    return load_catalog().connection_kinds[kind].try_out(saved, context)
