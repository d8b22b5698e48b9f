"""Files that were made to harm end in a clear error, or are read within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from flowforge import jsonio
from flowforge.apis import yaml_document
from flowforge.apis.answers import answer_sample, answer_shape
from flowforge.apis.dialects import paths
from flowforge.apis.document import MOST_BYTES
from flowforge.apis.form import form_schema
from flowforge.apis.operation import Operation
from flowforge.apis.reading import UnreadableDescription, read_description
from flowforge.apis.yaml_document import UnreadableYaml, read_yaml
from tests.apis.descriptions import described, operation, with_body

SIZE = 300


def reference(name: Any) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def chain(make: Callable[[int], Any]) -> dict[str, Any]:
    return {f"s{number}": make(number) for number in range(SIZE)}


def count_of(schema: Any) -> int:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return 1 + sum(map(count_of, inner))


class TestYaml:
    def read(self, text: str, most: int = 100_000) -> Any:
        return read_yaml(text.encode(), most, 100)

    def test_aliases_are_what_they_name(self) -> None:
        assert self.read("a: &x {b: [1]}\nc: *x\nd: &t hello\ne: *t") == {
            "a": {"b": [1]},
            "c": {"b": [1]},
            "d": "hello",
            "e": "hello",
        }

    def test_merge_keys_give_what_is_missing(self) -> None:
        text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\nd: {<<: *a}"
        assert self.read(text)["c"] == {"x": 0, "y": 1, "z": 2}
        assert self.read(text)["d"] == {"x": 1, "y": 1}

    def test_keys_are_text(self) -> None:
        assert self.read("200: a\ntrue: b\nnull: c\n3.10: d") == {"200": "a", "true": "b", "null": "c", "3.10": "d"}

    def test_a_bomb_of_aliases_is_refused(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        with pytest.raises(UnreadableYaml, match="aliases stand for more than 100,000 characters"):
            self.read("\n".join(lines))

    def test_nesting_by_aliases_is_nesting(self) -> None:
        lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
        with pytest.raises(UnreadableYaml, match="nested more than 100 levels"):
            self.read("\n".join(lines))

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("[" * 10_000, "nested more than 100 levels"),
            ("- " * 10_000 + "x", "nested more than 100 levels"),
            ("a: &a [*a]", "names nothing that ends before it"),
            ("[" + ",".join(f"&a{n} x" for n in range(20_001)) + "]", "more than 20,000 anchors"),
            ("a: *b", "names nothing"),
            ("? [a]\n: b", "a key must be text"),
            ("a: &a x\n*a : b", "a key must be text"),
            ("a: 'x", "line"),
            ("a: \x01", "not allowed"),
        ],
    )
    def test_other_bad_yaml_is_refused(self, text: str, reason: str) -> None:
        with pytest.raises(UnreadableYaml, match=reason):
            self.read(text)

    def test_very_many_parts_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(yaml_document, "MOST_EVENTS", 100)
        assert self.read("[" + "1," * 90 + "]") == [1] * 90
        with pytest.raises(UnreadableYaml, match="too many parts"):
            self.read("[" + "1," * 100 + "]")

    def test_tags_make_nothing(self) -> None:
        assert self.read("a: !!python/object/apply:os.system ['true']\nb: !x y") == {"a": ["true"], "b": "y"}


class TestFiles:
    def test_too_many_bytes_are_not_read(self) -> None:
        with pytest.raises(UnreadableDescription, match="the limit is"):
            read_description(bytes(MOST_BYTES + 1))

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"paths":' + "[" * 500 + "]" * 500 + "}"])
    def test_deep_nesting_is_refused(self, text: str) -> None:
        with pytest.raises(UnreadableDescription):
            read_description(text.encode())

    def test_a_number_of_many_digits_is_refused(self) -> None:
        with pytest.raises(UnreadableDescription):
            read_description(b'{"a": ' + b"9" * 100_000 + b"}")


class TestSchemas:
    """Each of these is a bomb for readers that resolve all references: the schemas made of them stay small."""

    BOMBS = {  # noqa: RUF012
        "all of twice the next": chain(lambda n: {"allOf": [reference(f"s{n + 1}"), reference(f"s{n + 1}")]}),
        "twice the next": chain(lambda n: {"properties": {"a": reference(f"s{n + 1}"), "b": reference(f"s{n + 1}")}}),
        "a choice of twice the next": chain(lambda n: {"oneOf": [reference(f"s{n + 1}"), reference(f"s{n + 1}")]}),
        "the only choice": chain(lambda n: {"anyOf": [reference(f"s{n + 1}")], "properties": {f"p{n}": {}}}),
        "each with each": chain(lambda n: {"properties": {f"p{m}": reference(f"s{m}") for m in range(SIZE)}}),
        "all of all": chain(
            lambda n: {"allOf": [reference(f"s{m}") for m in range(SIZE)], "properties": {f"p{n}": reference("s0")}}
        ),
        "a choice of all": chain(
            lambda n: {
                "oneOf": [reference(f"s{m}") for m in range(SIZE)],
                "properties": {f"q{n}{m}": {} for m in range(SIZE)},
            }
        ),
        "a list of the next": chain(lambda n: {"type": "array", "items": reference(f"s{n + 1}")}),
        "a reference to the next": chain(lambda n: reference(f"s{n + 1}")),
    }

    @pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
    def test_they_are_read_within_bounds(self, bomb: Any) -> None:
        op = with_body(reference("s0"), schemas=bomb)
        before = time.process_time()
        form = form_schema(op)
        assert time.process_time() - before < 5  # hours without bounds
        assert count_of(form) < 100_000

    def test_answers_are_bounded_as_forms_are(self) -> None:
        content = {"application/json": {"schema": reference("s0")}}
        op = operation(schemas=self.BOMBS["twice the next"], responses={"200": {"content": content}})
        assert count_of(answer_shape(op)) < 100_000
        assert count_of(answer_sample(op)) < 100_000

    def test_an_object_of_very_many_fields_has_the_first_ones(self) -> None:
        op = with_body({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(50_000)}})
        body = form_schema(op)["properties"]["body"]
        assert len(body["properties"]) == 1_000
        assert "additionalProperties" not in body

    def test_lists_inside_lists_are_shared_by_aliases_and_read_once(self) -> None:
        lines = ["openapi: 3.1.0", "x0: &x0 {properties: {a: {type: string}}}"]
        lines += [f"x{n}: &x{n} {{allOf: [*x{n - 1}, *x{n - 1}]}}" for n in range(1, 16)]
        lines += ["paths: {/x: {post: {operationId: it, requestBody: {content: {application/json: {schema: *x15}}}}}}"]
        op = read_description("\n".join(lines).encode()).operation("it")
        assert form_schema(op)["properties"]["body"]["properties"] == {"a": {"type": "string"}}


class TestOperations:
    def test_circles_of_references_are_refused(self) -> None:
        circle = {"$ref": "#/components/parameters/a"}
        description = described(
            paths={"/x": {"get": {"operationId": "it", "parameters": [circle]}}},
            components={"parameters": {"a": {"$ref": "#/components/parameters/b"}, "b": circle}},
        )
        assert [each.reason for each in description.refused()] == ["a parameter: its references go in a circle"]

    def test_of_very_many_parameters_the_first_ones_are_read(self) -> None:
        parameters = [{"name": f"p{n}", "in": "query", "schema": {}} for n in range(3_000)]
        assert len(operation(parameters=parameters).parameters) == 1_000

    def test_documents_that_cannot_be_had_are_not_looked_for_without_end(self) -> None:
        asked: list[str] = []

        def fetch(address: str) -> bytes:
            asked.append(address)
            raise OSError("gone")

        parts = {f"s{n}": {"$ref": f"other{n}.json"} for n in range(3_000)}
        document = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": parts}}
        assert len(read_description(jsonio.dumps(document), "https://h/", fetch).refused()) == len(asked) == 1_000

    def test_very_many_operations_are_listed_up_to_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paths, "MOST_OPERATIONS", 20)
        description = described(paths={f"/{n}": {"get": {}} for n in range(30)})
        assert len(description.entries) == 20
        assert "first 20 operations" in description.refused_parts[0].reason

    @pytest.mark.parametrize("name", ["", "\x00", "a\r\nb", "{", "}", "{{x}}", "../..", "%2e%2e", "💥", "x" * 5_000])
    def test_strange_names_are_only_names(self, name: str) -> None:
        parameters = [{"name": name, "in": place, "schema": {"type": "string"}} for place in ("query", "header")]
        op: Operation = operation(f"/{name}", tags=[name], summary=name, parameters=parameters)
        assert "\n" not in op.title + op.tag
        assert jsonio.dumps(form_schema(op))
