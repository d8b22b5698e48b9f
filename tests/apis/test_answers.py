"""What operations answer: its shape, a sample of it, and what errors say."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.apis.answers import answer_sample, answer_shape, error_message, is_refusal, signs_of_success
from flowforge.apis.operation import Operation
from tests.apis.descriptions import operation


def answering(schema: Any = None, status: str = "200", type_: str = "application/json", **said: Any) -> Operation:
    media_type = {**({} if schema is None else {"schema": schema}), **said}
    return operation(responses={status: {"description": "", "content": {type_: media_type}}})


class TestTheShape:
    def test_it_is_that_of_the_first_success_with_a_body(self) -> None:
        content = {"application/json": {"schema": {"type": "object", "properties": {"id": {"readOnly": True}}}}}
        op = operation(responses={"204": {}, "201": {"content": content}, "404": {"content": {"text/plain": {}}}})
        assert answer_shape(op) == {"type": "object", "properties": {"id": {}}}

    @pytest.mark.parametrize("responses", [{}, {"204": {"description": "none"}}, {"404": {}}, {"200": 5}])
    def test_there_is_none_where_the_file_does_not_say(self, responses: Any) -> None:
        op = operation(responses=responses)
        assert answer_shape(op) is None
        assert answer_sample(op) is None

    def test_what_is_no_json_is_text_or_a_file(self) -> None:
        assert answer_shape(answering(type_="text/csv")) == {"type": "string"}
        assert answer_shape(answering(type_="application/pdf")) == {"type": "string", "format": "binary"}


class TestTheSample:
    def test_the_example_of_the_file_goes_first(self) -> None:
        assert answer_sample(answering({"type": "object"}, example={"a": 1})) == {"a": 1}
        assert answer_sample(answering({"type": "object"}, examples={"one": {"value": {"b": 2}}})) == {"b": 2}

    def test_else_it_is_made_from_the_shape(self) -> None:
        properties = {
            "id": {"type": "integer", "minimum": 10},
            "name": {"type": "string", "example": "Rex"},
            "born": {"type": "string", "format": "date"},
            "kind": {"enum": ["cat", "dog"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "more": {"additionalProperties": {"type": "boolean"}},
            "either": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            "any": {},
        }
        assert answer_sample(answering({"type": "object", "properties": properties})) == {
            "id": 10,
            "name": "Rex",
            "born": "2026-01-31",
            "kind": "cat",
            "tags": ["text"],
            "more": {"name": True},
            "either": 1,
            "any": None,
        }


class TestErrors:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"message": "Not Found", "documentation_url": "https://h"}, "Not Found"),
            ({"error": {"code": 403, "message": "No access", "status": "PERMISSION_DENIED"}}, "No access (403)"),
            ({"error": {"type": "card_error", "message": "Declined."}}, "Declined. (card_error)"),
            ({"error": "invalid_grant", "error_description": "Token is gone"}, "Token is gone (invalid_grant)"),
            ({"ok": False, "error": "channel_not_found"}, "channel_not_found"),
            ({"code": 20404, "message": "None", "status": 404}, "None (20404)"),
            ({"type": "about:blank", "title": "Bad", "detail": "It is bad."}, "It is bad. (about:blank)"),
            ({"errors": [{"detail": "A"}, {"detail": "B"}]}, "A; B"),
            ({"message": "Invalid", "errors": [{"message": "name is missing"}]}, "name is missing"),
            ({"errors": ["one", "two"]}, "one; two"),
            ({"data": {"error": {"msg": "deep"}}}, "deep"),
            (["a", "b"], "a; b"),
            ("plain\ntext", "plain text"),
            ("<html>no</html>", ""),
            ({}, ""),
            (None, ""),
            (5, ""),
            ({"error": {"error": {"error": {"error": {"error": {"error": "x"}}}}}}, ""),
        ],
    )
    def test_common_shapes(self, body: Any, message: str) -> None:
        assert error_message(operation(), 400, body) == message

    def test_the_shape_of_the_file_names_the_message_where_it_has_an_uncommon_name(self) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}, "problemo": {"type": "string"}}}
        op = answering(schema, status="4XX")
        assert error_message(op, 404, {"n": 1, "problemo": "It is gone"}) == "It is gone"
        assert error_message(op, 500, {"n": 1, "problemo": "It is gone"}) == ""

    def test_it_is_one_short_line(self) -> None:
        message = error_message(operation(), 400, {"message": "a\r\n" + "b" * 10_000})
        assert message.startswith("a bbb")
        assert len(message) == 500

    def test_a_success_that_is_none_is_noticed(self) -> None:
        op = answering({"type": "object", "properties": {"ok": {"type": "boolean", "enum": [True]}}})
        signs = signs_of_success(op)
        assert is_refusal({"ok": False, "error": "x"}, signs)
        assert not is_refusal({"ok": True}, signs)
        assert not is_refusal("text", signs)
        assert not is_refusal({"ok": False}, signs_of_success(operation()))
