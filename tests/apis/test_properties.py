"""Whatever the schema: a value that its form allows is sent, and is right after the schema; others judge it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flowforge import jsonio
from flowforge.apis.checking import find_problems
from flowforge.apis.form import form_schema
from flowforge.apis.requests import build_request
from flowforge.apis.samples import sample_of
from tests.apis.descriptions import operation, with_body

SERVER = "https://api.example.com"
NAMES = st.sampled_from(["id", "name", "a b", "x/y", "größe", "$ref"[1:], "type"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)

plain_schemas = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"maxLength": st.integers(0, 20), "description": TEXTS}
    ),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(TEXTS, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": st.integers(-9, 9)}),
    st.fixed_dictionaries({"type": st.just("number")}, optional={"exclusiveMaximum": st.integers(-9, 9)}),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": ["integer", "string", "null"]}),
    st.just({"$ref": "#/components/schemas/Node"}),
    st.just({"$ref": "#/components/schemas/Size"}),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, inner, max_size=4)
    whole = properties.flatmap(
        lambda named: st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.just(named)},
            optional={
                "required": st.sets(st.sampled_from(sorted(named)), max_size=3).map(sorted) if named else st.just([]),
                "additionalProperties": st.booleans(),
            },
        )
    )
    lists = st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 4)})
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda schemas: {"anyOf": schemas})
    several = st.lists(properties, min_size=1, max_size=2).map(
        lambda parts: {"type": "object", "allOf": [_numbered(part, number) for number, part in enumerate(parts)]}
    )
    return st.one_of(whole, lists, choices, several)


def _numbered(properties: dict[str, Any], number: int) -> dict[str, Any]:
    """An object whose fields no other one of another number has: they would contradict each other."""
    return {"properties": {f"{number} {name}": inner for name, inner in properties.items()}}


schemas = st.recursive(plain_schemas, _objects, max_leaves=8)
SHARED = {
    "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "n": {"type": "integer"}}},
    "Size": {"anyOf": [{"type": "string"}, {"type": "string", "enum": ["small", "large"]}]},
}


def values(schema: Any) -> st.SearchStrategy[Any]:
    """What a form allows."""
    found = _values(schema)
    return st.one_of(st.none(), found) if schema.get("nullable") else found


def _values(schema: Any) -> st.SearchStrategy[Any]:
    if "oneOf" in schema:
        return st.one_of([values(choice) for choice in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "object":
        required = {name: values(schema["properties"][name]) for name in schema.get("required", ())}
        others = {name: values(inner) for name, inner in schema["properties"].items() if name not in required}
        return st.fixed_dictionaries(required, optional=others)
    if schema.get("type") == "array":
        return st.lists(values(schema["items"]), max_size=min(schema.get("maxItems", 3), 3))
    return {
        "string": st.text("abcü &=?/\n", max_size=schema.get("maxLength", 9)),
        "integer": st.integers(schema.get("minimum", -9), schema.get("minimum", -9) + 50),
        "number": st.floats(-99, schema.get("exclusiveMaximum", 99), exclude_max=True, allow_subnormal=False),
        "boolean": st.booleans(),
        None: st.just({"any": [1, "x"]}),
    }[schema.get("type")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data(), schemas)
def test_what_the_form_allows_is_sent_and_right_after_the_schema(data: Any, schema: Any) -> None:
    op = with_body(schema, schemas=SHARED)
    body = form_schema(op)["properties"]["body"]
    value = data.draw(values(body))
    assert find_problems(body, value) == []
    built = build_request(op, {"body": value}, SERVER)
    assert built.body is not None
    (sent,) = built.body.parts
    assert isinstance(sent, bytes)
    whole = {**schema, "components": {"schemas": SHARED}} if isinstance(schema, dict) else schema
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(jsonio.loads(sent))]
    assert errors == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas)
def test_the_sample_of_a_form_is_an_input_that_fits(schema: Any) -> None:
    body = form_schema(with_body(schema, schemas=SHARED))["properties"]["body"]
    assert find_problems(body, sample_of(body)) == []


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["q", "a b", "x[]", "ü", "$top"]), TEXTS, min_size=1), TEXTS)
def test_any_text_comes_out_of_the_address_as_it_went_in(query: dict[str, str], segment: str) -> None:
    declared = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in query]
    op = operation("/a/{id}/b", parameters=declared)
    part = f"x{segment}"
    url = build_request(op, {"query": query, "path": {"id": part}}, SERVER).url
    parts = urlsplit(url)
    assert url.isascii()
    assert url.isprintable()
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == query
    assert [unquote(each) for each in parts.path.split("/")] == ["", "a", part, "b"]
