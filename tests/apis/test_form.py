"""Forms are plain schemas, whatever oddities those of the file have."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.apis.checking import find_problems
from flowforge.apis.form import form_schema
from flowforge.jsonio import JsonObject
from tests.apis.descriptions import operation, with_body, with_parameter


def body_form(schema: Any, type_: str = "application/json", **schemas: Any) -> JsonObject:
    body: JsonObject = form_schema(with_body(schema, type_, schemas))["properties"]["body"]
    return {keyword: value for keyword, value in body.items() if keyword != "title"}


HEIRS = [{"$ref": f"#/components/schemas/{name}"} for name in ("Pet", "Cat", "Dog")]
"""The base is among those that its own discriminator names."""
MAPPING = {"pet": "Pet", "cat": "#/components/schemas/Cat", "dog": "Dog"}


class TestTheWhole:
    def test_parameters_stand_by_place_and_the_body_beside(self) -> None:
        parameters = [
            {"name": "id", "in": "path", "schema": {"type": "integer"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 30}, "description": "How many."},
            {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string"}},
        ]
        content = {"application/json": {"schema": {"type": "object"}}, "text/csv": {}}
        op = operation("/a/{id}", "post", parameters=parameters, requestBody={"content": content})
        form = form_schema(op)
        assert list(form["properties"]) == ["path", "query", "headers", "contentType", "body"]
        assert form["required"] == ["path", "headers"]
        assert form["properties"]["query"]["properties"] == {
            "limit": {"type": "integer", "default": 30, "description": "How many."}
        }
        assert form["properties"]["contentType"]["enum"] == ["application/json", "text/csv"]

    def test_the_body_is_that_of_the_type_that_is_chosen(self) -> None:
        content = {"application/json": {"schema": {"type": "object"}}, "text/csv": {}}
        op = operation(method="post", requestBody={"content": content})
        assert form_schema(op)["properties"]["body"]["type"] == "object"
        assert form_schema(op, "text/csv")["properties"]["body"]["type"] == "string"

    def test_it_is_made_once(self) -> None:
        op = operation()
        assert form_schema(op) is form_schema(op)

    def test_an_operation_without_anything_has_an_empty_form(self) -> None:
        assert form_schema(operation())["properties"] == {}


class TestTypes:
    @pytest.mark.parametrize(
        ("schema", "plain"),
        [
            ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
            ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
            ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
            ({"enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
            ({"const": 1}, {"type": "integer", "enum": [1]}),
            ({"type": "int"}, {"type": "integer"}),
            ({"type": "String", "format": "date"}, {"type": "string", "format": "date"}),
            ({"type": "any"}, {}),
            ({"type": "wizard"}, {}),
            ({}, {}),
            ({"properties": {}}, {"type": "object", "properties": {}}),
            ({"items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
            ({"type": "integer", "enum": ["1", "2"]}, {"type": "integer"}),
            ({"type": "integer", "default": "5", "minimum": "1"}, {"type": "integer", "default": 5, "minimum": 1}),
            ({"type": "boolean", "default": "false"}, {"type": "boolean", "default": False}),
            ({"type": "integer", "default": "x"}, {"type": "integer"}),
            (
                {"type": "number", "minimum": 0, "exclusiveMinimum": True, "multipleOf": 0},
                {"type": "number", "exclusiveMinimum": 0},
            ),
            ({"type": "string", "format": "password"}, {"type": "string", "format": "password", "writeOnly": True}),
            (
                {"properties": {"a": {"type": "string", "format": "binary"}}},
                {"type": "object", "properties": {"a": {"type": "string"}}},
            ),
            ({"type": "string", "example": "a", "examples": ["b"]}, {"type": "string", "examples": ["a", "b"]}),
            ({"type": "string", "pattern": "x" * 501, "maxLength": -1}, {"type": "string"}),
            (
                {"type": "object", "additionalProperties": False},
                {"type": "object", "properties": {}, "additionalProperties": False},
            ),
        ],
    )
    def test_a_schema_becomes_plain(self, schema: Any, plain: Any) -> None:
        assert body_form(schema) == plain

    @pytest.mark.parametrize("schema", [True, False, [], "x", 1, None])
    def test_what_is_no_schema_allows_all(self, schema: Any) -> None:
        assert body_form({"type": "object", "properties": {"a": schema}})["properties"] == {"a": {}}

    def test_a_file_is_one_where_files_can_be_sent(self) -> None:
        assert body_form({}, "application/pdf") == {"type": "string", "format": "binary"}
        for schema in ({"type": "string", "format": "binary"}, {"contentMediaType": "image/png"}, {}):
            form = body_form({"type": "object", "properties": {"file": schema}}, "multipart/form-data")
            assert form["properties"]["file"] == {"type": "string", "format": "binary"}

    def test_titles_and_descriptions_are_tidy(self) -> None:
        form = form_schema(with_parameter("query", {"type": "string", "title": "A\nB\x00"}, description=" x\ny "))
        color = form["properties"]["query"]["properties"]["color"]
        assert (color["title"], color["description"]) == ("A B", "x\ny")


class TestObjects:
    def test_all_parts_of_all_of_are_one(self) -> None:
        base = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
        schema = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"n": {"type": "integer"}}}]}
        form = body_form({**schema, "required": ["n"]}, Base=base)
        assert form == {
            "type": "object",
            "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
            "required": ["n", "id"],
        }

    def test_a_property_in_two_parts_is_what_both_ask_for(self) -> None:
        one = {"properties": {"kind": {"type": "string", "enum": ["a", "b"]}}}
        two = {"properties": {"kind": {"enum": ["b", "c"], "description": "Kind."}}}
        kind = body_form({"type": "object", "allOf": [one, two]})["properties"]["kind"]
        assert kind == {"type": "string", "enum": ["b"], "description": "Kind."}

    def test_what_only_answers_have_is_left_out(self) -> None:
        properties = {"id": {"readOnly": True}, "name": {"type": "string"}, "made": {"$ref": "#/components/schemas/T"}}
        form = body_form({"required": ["id", "name"], "properties": properties}, T={"readOnly": True})
        assert (list(form["properties"]), form["required"]) == (["name"], ["name"])

    def test_what_is_required_and_not_declared_can_be_anything(self) -> None:
        assert body_form({"type": "object", "required": ["a", 5, "a"]}) == {
            "type": "object",
            "properties": {"a": {}},
            "required": ["a"],
        }

    def test_other_properties_have_their_schema(self) -> None:
        number = {"type": "number"}
        for keyword in ({"additionalProperties": number}, {"patternProperties": {"^x-": number}}):
            assert body_form({"type": "object", **keyword})["additionalProperties"] == number

    def test_the_name_of_a_schema_is_not_that_of_a_field(self) -> None:
        form = body_form(
            {"properties": {"owner": {"$ref": "#/components/schemas/User"}}}, User={"title": "User", "type": "string"}
        )
        assert form["properties"]["owner"] == {"type": "string"}


class TestChoices:
    def test_each_has_a_title(self) -> None:
        schema = {
            "oneOf": [
                {"type": "string"},
                {"$ref": "#/components/schemas/BlackCat"},
                {"title": "T"},
                {"type": "string", "enum": ["x"]},
            ]
        }
        choices = body_form(schema, BlackCat={"type": "object"})["oneOf"]
        assert [choice["title"] for choice in choices] == ["Text", "Black cat", "T", "Text (2)"]

    def test_several_types_are_a_choice(self) -> None:
        form = body_form({"type": ["string", "integer", "null"], "maximum": 5})
        assert form["oneOf"] == [
            {"type": "string", "title": "Text"},
            {"type": "integer", "maximum": 5, "title": "Whole number"},
        ]

    def test_what_stands_around_a_choice_belongs_to_each(self) -> None:
        schema = {
            "properties": {"id": {"type": "string"}},
            "oneOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}],
        }
        assert [list(choice["properties"]) for choice in body_form(schema)["oneOf"]] == [["a", "id"], ["b", "id"]]

    def test_choices_that_only_say_what_belongs_together_are_none(self) -> None:
        schema = {"properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
        assert body_form(schema) == {"type": "object", "properties": {"a": {}, "b": {}}}

    def test_a_text_or_one_of_some_is_a_text_with_examples(self) -> None:
        schema = {"anyOf": [{"type": "string"}, {"type": "string", "enum": ["small", "large"]}]}
        assert body_form(schema) == {"type": "string", "examples": ["small", "large"]}

    @pytest.mark.parametrize("mapping", [{}, {"cat": "#/components/schemas/Cat", "dog": "Dog"}])
    def test_the_discriminator_fixes_a_field_of_each(self, mapping: Any) -> None:
        schema = {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", **({"mapping": mapping} if mapping else {})},
        }
        kind = {"type": "object", "properties": {"kind": {"type": "string"}}}
        form = body_form(schema, Cat=kind, Dog=kind)
        assert form["discriminator"] == "kind"
        expected = list(mapping) or ["Cat", "Dog"]
        assert [choice["properties"]["kind"]["enum"] for choice in form["oneOf"]] == [[name] for name in expected]
        assert [choice["required"] for choice in form["oneOf"]] == [["kind"], ["kind"]]

    def test_heirs_of_a_schema_with_a_discriminator_are_its_choices(self) -> None:
        pet = {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
        }
        cat = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"lives": {"type": "integer"}}}]}
        form = body_form({"$ref": "#/components/schemas/Pet"}, Pet=pet, Cat=cat)
        assert form["properties"] == {"lives": {"type": "integer"}, "kind": {"type": "string", "enum": ["cat"]}}

    def test_a_base_that_has_a_value_of_its_own_is_a_choice_too(self) -> None:
        item = {"properties": {"kind": {"type": "string"}}}
        mail = {
            "allOf": [item, {"properties": {"kind": {"default": "mail"}, "subject": {"type": "string"}}}],
            "discriminator": {"propertyName": "kind", "mapping": {"invitation": "#/components/schemas/Invitation"}},
        }
        invitation = {"allOf": [{"$ref": "#/components/schemas/Mail"}, {"properties": {"begin": {"type": "string"}}}]}
        form = body_form({"$ref": "#/components/schemas/Mail"}, Mail=mail, Invitation=invitation)
        assert [choice["title"] for choice in form["oneOf"]] == ["Mail", "Invitation"]
        assert [choice["properties"]["kind"]["enum"] for choice in form["oneOf"]] == [["mail"], ["invitation"]]
        assert ["begin" in choice["properties"] for choice in form["oneOf"]] == [False, True]
        assert all("subject" in choice["properties"] for choice in form["oneOf"])

    @pytest.mark.parametrize(
        "heirs", [{"discriminator": {"propertyName": "kind", "mapping": MAPPING}}, {"oneOf": HEIRS}]
    )
    def test_one_of_the_heirs_is_no_choice_among_all_of_them(self, heirs: Any) -> None:
        pet = {"type": "object", "properties": {"kind": {"type": "string"}}, **heirs}
        cat = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"lives": {"type": "integer"}}}]}
        form = body_form({"$ref": "#/components/schemas/Cat"}, Pet=pet, Cat=cat, Dog={"type": "object"})
        assert form["properties"] == {"lives": {"type": "integer"}, "kind": {"type": "string"}}
        assert len(body_form({"$ref": "#/components/schemas/Pet"}, Pet=pet, Cat=cat, Dog={})["oneOf"]) == 3


class TestRecursion:
    def test_what_contains_itself_is_any_json_inside(self) -> None:
        node = {
            "type": "object",
            "properties": {"child": {"$ref": "#/components/schemas/Node"}, "n": {"type": "integer"}},
        }
        form = body_form({"$ref": "#/components/schemas/Node"}, Node=node)
        assert form["properties"] == {"child": {}, "n": {"type": "integer"}}

    @pytest.mark.parametrize(
        "schema",
        [
            {"$ref": "#/components/schemas/A"},
            {"allOf": [{"$ref": "#/components/schemas/A"}]},
            {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]},
            {"anyOf": [{"$ref": "#/components/schemas/A"}]},
            {"$ref": "#/components/schemas/None"},
            {"$ref": 5},
        ],
    )
    def test_circles_end(self, schema: Any) -> None:
        assert find_problems(body_form(schema, A=schema), {"any": "thing"}) in (
            [],
            find_problems({"type": "string"}, {}),
        )


class TestChecking:
    @pytest.mark.parametrize(
        ("schema", "value", "problems"),
        [
            ({"type": "string", "minLength": 2}, "a", {"": "must have at least 2 characters"}),
            ({"type": "string", "pattern": "^a+$"}, "b", {"": "must match the pattern ^a+$"}),
            ({"type": "string", "pattern": "(?<!x)["}, "b", {}),
            ({"type": "integer"}, True, {"": "must be a whole number"}),
            ({"type": "integer"}, 1.0, {}),
            ({"type": "string"}, 5, {}),
            ({"type": "string", "enum": ["a", "b"]}, "c", {"": "must be one of a, b"}),
            ({"type": "array", "items": {"type": "integer"}}, [1, "x"], {"/1": "must be a whole number"}),
            ({"type": "array", "uniqueItems": True}, [1, 1], {"": "must not have the same entry twice"}),
            (
                {"type": "object", "properties": {"a/b": {"type": "boolean"}}},
                {"a/b": 1},
                {"/a~1b": "must be true or false"},
            ),
            ({"type": "object", "required": ["a"]}, {"a": None}, {"/a": "is required"}),
        ],
    )
    def test_problems_stand_at_their_field(self, schema: Any, value: Any, problems: Any) -> None:
        found = find_problems(body_form(schema), value)
        if schema.get("required"):
            found = find_problems({**body_form(schema), "properties": {"a": {"type": "string"}}}, value)
        assert {problem.pointer: problem.message for problem in found} == problems

    def test_the_discriminator_says_which_choice_is_meant(self) -> None:
        one = {"type": "object", "properties": {"kind": {"enum": ["a"]}, "n": {"type": "integer"}}, "required": ["n"]}
        two = {"type": "object", "properties": {"kind": {"enum": ["b"]}}}
        schema = {"oneOf": [{**one, "title": "A"}, {**two, "title": "B"}], "discriminator": "kind"}
        assert [str(problem) for problem in find_problems(schema, {"kind": "a"})] == ["/n: is required"]
        assert find_problems(schema, {"kind": "b"}) == []

    def test_a_value_that_is_no_choice_is_told_them(self) -> None:
        schema = body_form({"oneOf": [{"type": "integer"}, {"type": "boolean"}]})
        assert [str(problem) for problem in find_problems(schema, "x")] == ["must be one of: Whole number, Yes or no"]

    def test_what_is_not_known_yet_is_right_everywhere(self) -> None:
        schema = body_form(
            {
                "properties": {
                    "n": {"type": "integer"},
                    "l": {"type": "array", "minItems": 2, "items": {"type": "integer"}},
                },
                "additionalProperties": False,
            }
        )
        value = {"n": "{{ x }}", "l": "{{ y }}"}
        assert find_problems(schema, value, lambda each: isinstance(each, str) and "{{" in each) == []

    def test_patterns_that_others_would_never_end_with_take_no_time(self) -> None:
        schema = body_form({"type": "string", "pattern": "^(a+)+$"})
        assert len(find_problems(schema, "a" * 9_000 + "!")) == 1
