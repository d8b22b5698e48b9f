"""Large values on the event loop: whatever a connector does with one is done in a thread, so that no other step waits.

What is counted is what the loop's thread does between two of its turns: calls of functions, and large values that are
written, read or encoded. Both bounds are far above what small values need, and far below what these do.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response as Answer

from flowforge import charsets, jsonio
from flowforge.apis.description import Description
from flowforge.apis.reading import read_description
from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.in_thread import SMALL_BYTES
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors import running
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run, run_with
from tests.connectors.step_loop import StepLoop

ANYTHING = re.compile(".*")
LARGE = 2 * 1024 * 1024
TEXT = ("x" * 99 + "\n") * (LARGE // 100)
ROWS = [["a", number, "some text"] for number in range(LARGE // 30)]
OBJECTS = [{"id": number, "name": "Ada"} for number in range(LARGE // 40)]
COLUMNS = [f"c{number}" for number in range(30_000)]
MOST_CALLS = 20_000


@dataclass
class Held:
    """What the thread of a loop did between two of its turns."""

    most_calls: int = 0
    large_values: list[str] = field(default_factory=list)
    _calls: int = 0

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "_run" and frame.f_code.co_filename.endswith("events.py"):
            self._calls = 0
        if event in {"call", "c_call"}:
            self._calls += 1
            self.most_calls = max(self.most_calls, self._calls)


@pytest.fixture
def step_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepLoop]:
    loop = StepLoop()
    monkeypatch.setattr(running, "ended", loop.run)
    yield loop
    loop.close()


@pytest.fixture
def held(step_loop: StepLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    found = Held()

    async def watch(profile: Any) -> int:
        sys.setprofile(profile)
        return threading.get_ident()

    ident = step_loop.run(watch(found.profile))
    for module, name in [
        (jsonio, "loads"),
        (jsonio, "_dumps"),
        (jsonio, "dumps_within"),
        (charsets, "decode"),
        (base64, "b64encode"),
        (base64, "urlsafe_b64decode"),
    ]:
        monkeypatch.setattr(module, name, _noting(getattr(module, name), name, ident, found))
    yield found
    step_loop.run(watch(None))


def _noting(work: Callable[..., Any], name: str, ident: int, found: Held) -> Callable[..., Any]:
    def noted(value: Any, *more: Any, **options: Any) -> Any:
        if threading.get_ident() == ident and jsonio.more_than(value, SMALL_BYTES):
            found.large_values.append(name)
        return work(value, *more, **options)

    return noted


@pytest.fixture
def context(make_context: Callable[..., StepContext]) -> StepContext:
    bounds = dict.fromkeys(("http_request_max_bytes", "http_response_max_bytes"), 4 * LARGE)
    return replace(make_context(seconds=120, **bounds), files=KeptFiles(), output_limit=4 * LARGE)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


SERVICES: list[tuple[str, dict[str, Any], Any]] = [
    ("AIRTABLE_LIST", {"baseId": "app1", "table": "t", "limit": 100_000}, {"records": OBJECTS}),
    ("AIRTABLE_CREATE", {"baseId": "app1", "table": "t", "records": [{"Name": TEXT}]}, {"records": OBJECTS}),
    ("HUBSPOT_CREATE", {"properties": {"name": TEXT}}, {"id": "17", "objects": OBJECTS}),
    ("SHEETS_READ", {"spreadsheetId": "s", "sheet": "Log", "limit": 100_000}, {"values": [["a", "b", "c"], *ROWS]}),
    (
        "SHEETS_FIND",
        {"spreadsheetId": "s", "sheet": "Log", "column": "b", "value": "17"},
        {"values": [["a", "b", "c"], *ROWS]},
    ),
    (
        "SHEETS_APPEND",
        {"spreadsheetId": "s", "sheet": "Log", "rows": [{"id": 1, "name": "Ada"}] * 100_000},
        {"values": [["id", "name"]]},
    ),
    (
        "SHEETS_UPDATE",
        {"spreadsheetId": "s", "sheet": "Log", "column": "c0", "value": "a", "changes": dict.fromkeys(COLUMNS, 1)},
        {"values": [COLUMNS, ["a"]]},
    ),
    ("SHEETS_READ", {"spreadsheetId": "s", "sheet": "Log"}, {"values": [COLUMNS[:1_000], *[["a"]] * 1_000]}),
    ("JIRA_MOVE", {"issue": "S-1", "transition": str(OBJECTS[-1]["id"])}, {"transitions": OBJECTS}),
    ("NOTION_CHANGE", {"pageId": "p", "properties": dict.fromkeys(COLUMNS, "x")}, {"id": "17"}),
    (
        "NOTION_CREATE",
        {"databaseId": "b", "dataSourceId": "d", "text": TEXT, "properties": {"Name": "x"}},
        {"id": "17"},
    ),
    ("STRIPE_CREATE", {"values": {"metadata": {str(n): "x" * 2_000 for n in range(4_000)}}}, {"objects": OBJECTS}),
    ("GITHUB_COMMENT", {"owner": "o", "repository": "r", "number": 1, "body": TEXT}, {"objects": OBJECTS}),
    (
        "GMAIL_READ",
        {"messageId": "m"},
        {"payload": {"mimeType": "text/plain", "headers": [], "body": {"data": encoded(TEXT)}}},
    ),
    ("GMAIL_READ", {"messageId": "m"}, {"payload": {"parts": [{"mimeType": "text/plain"}] * (LARGE // 30)}}),
    ("SLACK_POST", {"channel": "C1", "text": "x", "blocks": OBJECTS}, {"ok": True, "message": OBJECTS}),
]


@pytest.mark.parametrize(("type_", "config", "body"), SERVICES, ids=[type_ for type_, _, _ in SERVICES])
def test_a_service(
    httpserver: HTTPServer, context: StepContext, held: Held, type_: str, config: dict[str, Any], body: Any
) -> None:
    httpserver.expect_request(ANYTHING).respond_with_json(body)
    run_with(type_, "bearer", {"token": "123"}, {"endpoint": httpserver.url_for(""), **config}, context)
    require_light(held)


@pytest.mark.parametrize(
    ("type_", "config", "body"),
    [
        ("NOTION_CREATE", {"databaseId": "b", "properties": {"Name": "x"}}, {"data_sources": OBJECTS}),
        ("JIRA_MOVE", {"issue": "S-1", "transition": "Done"}, {"transitions": OBJECTS}),
        ("GITHUB_COMMENT", {"owner": "\N{SNOWMAN}" * 100_000, "repository": "r", "number": 1, "body": "x"}, {}),
        ("STRIPE_FIND", {"filters": dict.fromkeys(COLUMNS, 1)}, {}),
    ],
    ids=["many data sources", "many transitions", "a long address", "a long query"],
)
def test_a_service_that_refuses(
    httpserver: HTTPServer, context: StepContext, held: Held, type_: str, config: dict[str, Any], body: Any
) -> None:
    httpserver.expect_request(ANYTHING).respond_with_json(body)
    with pytest.raises(ConnectorError):
        run_with(type_, "bearer", {"token": "123"}, {"endpoint": httpserver.url_for(""), **config}, context)
    require_light(held)


@pytest.mark.parametrize(
    "config",
    [
        {"body": {"items": OBJECTS}},
        {"body": TEXT},
        {"form": {"text": TEXT}},
        {"form": {str(number): "x" * 2_000 for number in range(4_000)}},
        {"response": "json"},
        {"response": "text"},
        {"paging": {"by": "page", "parameter": "page", "items": "body.items", "maxPages": 1}},
    ],
    ids=["JSON", "text", "form", "form of many", "as JSON", "as text", "pages"],
)
def test_an_http_request(httpserver: HTTPServer, context: StepContext, held: Held, config: dict[str, Any]) -> None:
    httpserver.expect_request(ANYTHING).respond_with_json({"items": OBJECTS})
    output = run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "method": "POST", **config}, context)
    assert output
    require_light(held)


@dataclass
class OneApi:
    """An API whose answers have a field that can only be true, and many others; the account has no other API."""

    description: Description
    name: str = "large"
    title: str = "Large"
    version: str = "sha256:0"

    @classmethod
    def at(cls, address: str) -> OneApi:
        properties = {"ok": {"type": "boolean", "enum": [True]}, **{name: {"type": "string"} for name in COLUMNS}}
        content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
        responses = {status: {"description": "", "content": content} for status in ("200", "400")}
        operation = {"operationId": "it", "responses": responses}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Large", "version": "1"},
            "servers": [{"url": address}],
            "paths": {"/things": {"get": operation}},
        }
        return cls(read_description(jsonio.dumps(document)))

    def titles(self) -> dict[str, str]:
        return {self.name: self.title}

    def versions(self, name: str) -> list[tuple[str, str]]:
        return [(self.version, "1")]

    def find(self, name: str, version: str = "") -> OneApi:
        return self


@pytest.mark.parametrize(
    ("status", "body", "all_pages", "message"),
    [
        (200, {"ok": True}, False, ""),
        (200, {"ok": False, "error": "too late"}, False, "refused: too late"),
        (400, {"ok": False, "error": "too late"}, False, "answered 400: too late"),
        (200, {"ok": True}, True, "does not show how it is paged"),
    ],
    ids=["success", "refusal", "failure", "pages"],
)
def test_an_operation_with_a_large_description(
    httpserver: HTTPServer,
    context: StepContext,
    held: Held,
    status: int,
    body: dict[str, Any],
    all_pages: bool,
    message: str,
) -> None:
    httpserver.expect_request(ANYTHING).respond_with_json(body, status=status)
    context = replace(context, apis=OneApi.at(httpserver.url_for("")))
    expected = pytest.raises(ConnectorError, match=message) if message else nullcontext()
    with expected:
        run("API_CALL", {"api": "large", "operation": "it", "allPages": all_pages}, context)
    require_light(held)


def test_a_failure(httpserver: HTTPServer, context: StepContext, held: Held) -> None:
    httpserver.expect_request(ANYTHING).respond_with_json({"error": OBJECTS}, status=400)
    with pytest.raises(Exception, match="answered 400"):
        run("HTTP_REQUEST", {"url": httpserver.url_for("/")}, context)
    require_light(held)


def test_a_language_model(httpserver: HTTPServer, context: StepContext, held: Held) -> None:
    message = {"role": "assistant", "content": json.dumps({"items": OBJECTS})}
    answer = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}
    httpserver.expect_request(ANYTHING).respond_with_handler(lambda _: Answer(json.dumps(answer)))
    config = {"model": "m", "prompt": TEXT, "endpoint": httpserver.url_for(""), "output": "json"}
    output = run("LLM", {**config, "schema": {"type": "object"}}, context)
    assert len(output["json"]["items"]) == len(OBJECTS)
    require_light(held)


def test_an_answer_that_decompresses_to_a_thousand_times_its_size(
    httpserver: HTTPServer, context: StepContext, step_loop: StepLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes in one piece, and is taken in many turns of the loop."""
    body = gzip.compress(bytes(LARGE))
    httpserver.expect_request(ANYTHING).respond_with_data(body, headers={"Content-Encoding": "gzip"})
    turns, sizes = Turns(), Counter[int]()
    add = IncomingAnswer.add

    def noting(answer: IncomingAnswer, piece: bytes) -> None:
        sizes[turns.number] += len(piece)
        add(answer, piece)

    monkeypatch.setattr(IncomingAnswer, "add", noting)
    counting = step_loop.begin(turns.count())
    assert context.tools.http.send(context, "GET", httpserver.url_for("/")).content == bytes(LARGE)
    counting.cancel()
    assert max(sizes.values()) <= 4 * SMALL_BYTES


class Turns:
    """Counts the turns of a loop."""

    def __init__(self) -> None:
        self.number = 0

    async def count(self) -> None:
        while True:
            self.number += 1
            await asyncio.sleep(0)


def require_light(held: Held) -> None:
    assert held.large_values == []
    assert held.most_calls < MOST_CALLS
