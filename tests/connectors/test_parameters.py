"""Values of JSON in queries and forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pytest_httpserver import HTTPServer

from flowforge.connectors.http_client.parameters import Nested, pairs_of
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.running import run

FILTER = {"filter": {"brand": "acme", "size": {"min": 2}}}
TAGS = {"tag": ["a", 2, None, True]}
ITEMS = {"items": [{"sku": "x"}, {"sku": "y"}]}


@pytest.mark.parametrize(
    ("parameters", "nested", "pairs"),
    [
        ({"active": True, "n": 12, "x": 0.5}, "repeat", [("active", "true"), ("n", "12"), ("x", "0.5")]),
        ({"none": None, "empty": ""}, "repeat", [("empty", "")]),
        (FILTER, "repeat", [("filter[brand]", "acme"), ("filter[size][min]", "2")]),
        (FILTER, "json", [("filter", '{"brand":"acme","size":{"min":2}}')]),
        (TAGS, "repeat", [("tag", "a"), ("tag", "2"), ("tag", "true")]),
        (TAGS, "brackets", [("tag[]", "a"), ("tag[]", "2"), ("tag[]", "true")]),
        (TAGS, "indexes", [("tag[0]", "a"), ("tag[1]", "2"), ("tag[3]", "true")]),
        (TAGS, "json", [("tag", '["a",2,null,true]')]),
        (ITEMS, "repeat", [("items[0][sku]", "x"), ("items[1][sku]", "y")]),
        (ITEMS, "brackets", [("items[0][sku]", "x"), ("items[1][sku]", "y")]),
        ({"none": {}, "nothing": []}, "repeat", []),
    ],
)
def test_each_value_is_written_as_text_under_its_name(
    parameters: dict[str, Any], nested: Nested, pairs: list[tuple[str, str]]
) -> None:
    assert pairs_of(parameters, nested) == pairs


def test_their_depth_and_number_are_bounded() -> None:
    deep: Any = "end"
    for _ in range(21):
        deep = {"a": deep}
    with pytest.raises(ConnectorError, match=r"20 levels deep; x\[a\]"):
        pairs_of({"x": deep})
    with pytest.raises(ConnectorError, match="10,000 parameters"):
        pairs_of({"x": [[1] * 5_001] * 2})


def sent(httpserver: HTTPServer, context: StepContext, **config: Any) -> tuple[list[tuple[str, str]], str]:
    """The query and the body that HTTP_REQUEST sends."""
    httpserver.expect_request("/").respond_with_data("ok")
    run("HTTP_REQUEST", {"method": "POST", "url": httpserver.url_for("/"), **config}, context)
    request, _ = httpserver.log[-1]
    return parse_qsl(request.query_string.decode(), keep_blank_values=True), request.get_data(as_text=True)


def test_a_query_writes_objects_in_brackets(httpserver: HTTPServer, context: StepContext) -> None:
    query, _ = sent(httpserver, context, query={"active": False, **FILTER, "tag": ["a", "b"]})
    assert query == [
        ("active", "false"),
        ("filter[brand]", "acme"),
        ("filter[size][min]", "2"),
        ("tag", "a"),
        ("tag", "b"),
    ]


@pytest.mark.parametrize(
    ("nested", "pairs"),
    [
        ({}, [("amount", "12"), ("paid", "true"), ("note", ""), ("tag", '["a"]')]),
        ({"nested": "brackets"}, [("amount", "12"), ("paid", "true"), ("note", ""), ("tag[]", "a")]),
    ],
)
def test_a_form_writes_json_unless_it_is_told_otherwise(
    httpserver: HTTPServer, context: StepContext, nested: dict[str, str], pairs: list[tuple[str, str]]
) -> None:
    form = {"amount": 12, "paid": True, "note": None, "tag": ["a"]}
    _, body = sent(httpserver, context, form=form, **nested)
    assert parse_qsl(body, keep_blank_values=True) == pairs


def test_headers_take_any_value(httpserver: HTTPServer, context: StepContext) -> None:
    sent(httpserver, context, headers={"X-Amount": 12, "X-Paid": True, "X-Note": None, "X-Rows": [1]})
    request, _ = httpserver.log[-1]
    headers = [request.headers[name] for name in ("X-Amount", "X-Paid", "X-Note", "X-Rows")]
    assert headers == ["12", "true", "", "[1]"]


def test_connectors_of_others_need_not_know(httpserver: HTTPServer, make_context: Callable[..., StepContext]) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    context = make_context()
    context.tools.http.send(context, "POST", httpserver.url_for("/"), params={"a": True}, data={"b": {"c": False}})
    request, _ = httpserver.log[-1]
    assert (dict(request.args), dict(request.form)) == ({"a": "true"}, {"b[c]": "false"})
