"""The tools every connector gets, with the loopback opened, and a context to run in."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Answer

from flowforge.connectors.http_client.client import AsyncHttpClient, HttpClient
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.transport import Attempt
from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.sdk import StepContext
from flowforge.connectors.tools import make_tools
from flowforge.jsonio import JsonObject
from flowforge.settings import Settings
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import Step, run_with
from tests.connectors.step_loop import StepLoop
from tests.services.smtp import Inbox

ID = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture
def step_loop() -> StepLoop | None:
    """The event loop on which steps run; None where they wait in their thread, as they do unless a test wants both
    (tests.connectors.both_ways)."""
    return None


@pytest.fixture
def make_context(step_loop: StepLoop | None) -> Callable[..., StepContext]:
    def make(
        *, seconds: float = 5, networks: str = "127.0.0.0/8", allowance: int = 1_000, **settings: object
    ) -> StepContext:
        chosen = Settings(_env_file=None, allow_private_networks_setting=networks, **settings)
        context = StepContext(
            execution_id=ID,
            workflow_id=ID,
            user_id=ID,
            step_index=0,
            step_id="step_0",
            attempt=1,
            idempotency_key="key-1",
            deadline=time.monotonic() + seconds,
            trigger={"body": {"order": 17}},
            steps={},
            tools=make_tools(chosen, lambda _user, recipients: recipients <= allowance),
        )
        return context if step_loop is None else step_loop.moved(context, chosen)

    return make


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


class Redirected:
    """The HTTP client of coroutines, with one host's requests sent to a server of the test."""

    def __init__(self, client: AsyncHttpClient, host: str, target: str) -> None:
        self._client = client
        self._origin = f"https://{host}/"
        self._target = target

    async def send(self, attempt: Attempt, method: str, url: str, **parts: Any) -> Response:
        return await self._client.send(attempt, method, url.replace(self._origin, self._target), **parts)

    def encode(self, value: Any) -> bytes:
        return self._client.encode(value)


@pytest.fixture
def slack_context(context: StepContext, httpserver: HTTPServer) -> StepContext:
    """A context in which the test's server is Slack."""
    slack = Redirected(context.tools.async_http, "slack.com", httpserver.url_for("/"))
    return replace(context, tools=replace(context.tools, http=HttpClient(slack), async_http=slack))


@pytest.fixture
def context(make_context: Callable[..., StepContext]) -> StepContext:
    return make_context()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def step(httpserver: HTTPServer, context: StepContext) -> Step:
    """Runs an action against the server, with a bearer token."""

    def ran(type_: str, **config: Any) -> JsonObject:
        whole = {"endpoint": httpserver.url_for(""), **config}
        bot = presets()["telegram"].config | {"key": "123:abc", "hosts": ["localhost"]}
        kind, saved = ("api_key", bot) if type_.startswith("TELEGRAM") else ("bearer", {"token": "123:abc"})
        return run_with(type_, kind, saved, whole, replace(context, files=KeptFiles()))

    return ran


@pytest.fixture
def answers(httpserver: HTTPServer) -> Callable[..., None]:
    """What the server answers, by method and path; anything else gets an empty object."""
    known: dict[tuple[str, str], list[Any]] = {}

    def answer(request: Received) -> Answer:
        told = known.get((request.method, unquote(request.path)), [])
        body = told.pop(0) if len(told) > 1 else told[0] if told else {}
        return body if isinstance(body, Answer) else Answer(json.dumps(body), mimetype="application/json")

    def expect(method: str, path: str, *bodies: Any) -> None:
        known[method, path] = list(bodies)

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    return expect
