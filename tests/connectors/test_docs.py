"""The examples of docs/connectors.md work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer

from flowforge.connectors.sdk import Connector, StepContext
from flowforge.icons import icon_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connectors.md"


def example(number: int) -> Connector[Any]:
    """The connector in the page's code of that number, from 0."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), module)
    return next(value for value in module.values() if isinstance(value, Connector))


def test_the_example_is_a_connector(httpserver: HTTPServer, context: StepContext) -> None:
    connector = example(0)
    httpserver.expect_request("/hook", json={"content": "hi"}).respond_with_data("")
    output = connector.run_here(connector.parse({"url": httpserver.url_for("/hook"), "text": "hi"}), context)
    assert output == {"statusCode": 200}
    assert set(connector.secret_keys()) == {"url"}


def test_the_example_shows_an_icon_and_a_summary() -> None:
    connector = example(0)
    assert connector.icon in icon_names() - {"step"}
    assert connector.summary({"text": "hi"}) == "hi"


def test_the_example_of_a_connection_kind_signs_for_its_connector(httpserver: HTTPServer, context: StepContext) -> None:
    connector = example(1)
    httpserver.expect_request("/", headers={"X-Api-Key": "k-1"}).respond_with_data("")
    output = connector.run_here(connector.parse({"url": httpserver.url_for("/"), "apiKey": "k-1"}), context)
    assert output == {"statusCode": 200}


def test_the_example_of_pages_reads_them_all(httpserver: HTTPServer, context: StepContext) -> None:
    connector = example(2)
    httpserver.expect_request("/orders", query_string="page=1").respond_with_json(["first"])
    httpserver.expect_request("/orders", query_string="page=2").respond_with_json([])
    output = connector.run_here(connector.parse({"url": httpserver.url_for("/orders")}), context)
    assert output == {"items": ["first"], "pages": 2, "complete": True}


def test_the_example_of_a_service_calls_it(httpserver: HTTPServer, context: StepContext) -> None:
    connector = example(-1)
    httpserver.expect_request("/issues/A-1/comments", method="POST", json={"text": "ok"}).respond_with_json({"id": 7})
    config = {"endpoint": httpserver.url_for(""), "issue": "A-1", "text": "ok"}
    assert connector.run_here(connector.parse(config), context) == {"id": 7}
