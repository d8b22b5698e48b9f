"""Parameters as the specification's own tables write them (OpenAPI 3.1.1, section 4.8.12.6)."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge import jsonio
from flowforge.apis.reading import read_description
from flowforge.apis.requests import build_request
from tests.apis.descriptions import with_parameter

EMPTY, TEXT = "", "blue"
LIST = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}
NOT_DEFINED = object()
SERVER = "https://api.example.com"
ANY: dict[str, Any] = {}

TABLE = [
    # style, explode, empty, text, list, object
    ("matrix", False, ";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
    ("matrix", True, ";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
    ("label", False, ".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
    ("label", True, ".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
    ("simple", False, NOT_DEFINED, "blue", "blue,black,brown", "R,100,G,200,B,150"),
    ("simple", True, NOT_DEFINED, "blue", "blue,black,brown", "R=100,G=200,B=150"),
    ("form", False, "color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
    ("form", True, "color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
    (
        "spaceDelimited",
        False,
        NOT_DEFINED,
        NOT_DEFINED,
        "color=blue%20black%20brown",
        "color=R%20100%20G%20200%20B%20150",
    ),
    (
        "pipeDelimited",
        False,
        NOT_DEFINED,
        NOT_DEFINED,
        "color=blue%7Cblack%7Cbrown",
        "color=R%7C100%7CG%7C200%7CB%7C150",
    ),
    ("deepObject", True, NOT_DEFINED, NOT_DEFINED, NOT_DEFINED, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
]
IN_PATHS = ("matrix", "label", "simple")
CASES = [
    (style, explode, value, written)
    for style, explode, *row in TABLE
    for value, written in zip((EMPTY, TEXT, LIST, OBJECT), row, strict=True)
    if written is not NOT_DEFINED
]


@pytest.mark.parametrize(("style", "explode", "value", "written"), CASES)
def test_a_value_is_written_as_the_table_of_the_specification_has_it(
    style: str, explode: bool, value: Any, written: str
) -> None:
    if style in IN_PATHS:
        operation = with_parameter("path", ANY, path="/x{color}", style=style, explode=explode)
        assert build_request(operation, {"path": {"color": value}}, SERVER).url == f"{SERVER}/x{written}"
    else:
        operation = with_parameter("query", ANY, style=style, explode=explode)
        assert build_request(operation, {"query": {"color": value}}, SERVER).url == f"{SERVER}/things?{written}"


@pytest.mark.parametrize(
    ("explode", "value", "written"),
    [(False, OBJECT, "R,100,G,200,B,150"), (True, OBJECT, "R=100,G=200,B=150"), (False, LIST, "blue,black,brown")],
)
def test_a_header_is_simple(explode: bool, value: Any, written: str) -> None:
    operation = with_parameter("header", ANY, name="X-Color", explode=explode)
    request = build_request(operation, {"headers": {"X-Color": value}}, SERVER)
    assert ("X-Color", written) in request.headers


def test_cookies_stand_in_one_header() -> None:
    operation = with_parameter("cookie", {"type": "array", "items": {"type": "string"}}, explode=False)
    request = build_request(operation, {"cookies": {"color": ["a", "b c"]}}, SERVER)
    assert request.headers == [("Cookie", "color=a,b%20c")]


def test_reserved_characters_stay_where_the_file_allows_them() -> None:
    allowed = with_parameter("query", {"type": "string"}, allowReserved=True)
    encoded = with_parameter("query", {"type": "string"})
    value = {"query": {"color": "a/b:c,d&e#f"}}
    assert build_request(allowed, value, SERVER).url == f"{SERVER}/things?color=a/b:c,d%26e%23f"
    assert build_request(encoded, value, SERVER).url == f"{SERVER}/things?color=a%2Fb%3Ac%2Cd%26e%23f"


def test_a_parameter_with_a_media_type_is_written_in_it() -> None:
    operation = with_parameter("query", ANY, content={"application/json": {"schema": {"type": "object"}}})
    url = build_request(operation, {"query": {"color": {"a": [1]}}}, SERVER).url
    assert url == f"{SERVER}/things?color=%7B%22a%22%3A%5B1%5D%7D"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"range": {"from": 1, "to": None}}, "color%5Brange%5D%5Bfrom%5D=1"),
        ({"items": [{"id": "a"}, {"id": "b"}]}, "color%5Bitems%5D%5B0%5D%5Bid%5D=a&color%5Bitems%5D%5B1%5D%5Bid%5D=b"),
    ],
)
def test_deep_objects_go_on_in_brackets(value: Any, written: str) -> None:
    operation = with_parameter("query", {"type": "object"}, style="deepObject", explode=True)
    assert build_request(operation, {"query": {"color": value}}, SERVER).url == f"{SERVER}/things?{written}"


@pytest.mark.parametrize("value", [None, [], {}])
def test_nothing_is_written_for_null_and_for_what_is_empty(value: Any) -> None:
    operation = with_parameter("query", ANY)
    assert build_request(operation, {"query": {"color": value}}, SERVER).url == f"{SERVER}/things"


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        ("csv", "color=a,b"),
        ("ssv", "color=a%20b"),
        ("tsv", "color=a%09b"),
        ("pipes", "color=a%7Cb"),
        ("multi", "color=a&color=b"),
        (None, "color=a,b"),
    ],
)
def test_collections_of_version_2_are_written_in_their_format(format_: str | None, written: str) -> None:
    parameter = {"name": "color", "in": "query", "type": "array", "items": {"type": "string"}}
    if format_:
        parameter["collectionFormat"] = format_
    document = {
        "swagger": "2.0",
        "host": "h",
        "paths": {"/x": {"get": {"operationId": "it", "parameters": [parameter]}}},
    }
    operation = read_description(jsonio.dumps(document)).operation("it")
    assert build_request(operation, {"query": {"color": ["a", "b"]}}, SERVER).url == f"{SERVER}/x?{written}"
