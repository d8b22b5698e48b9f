"""Requests are built from inputs; what does not fit is told beside its field."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

import pytest

from flowforge import jsonio
from flowforge.apis.operation import Operation
from flowforge.apis.requests import BuiltRequest, build_request
from flowforge.errors import Invalid
from flowforge.file_values import InlineFile
from tests.apis.descriptions import operation, with_body, with_parameter

SERVER = "https://api.example.com/v1/"
PICTURE = InlineFile.named("cat.png", "image/png", b"\x89PNG").as_json()


def built(op: Operation, **input_: Any) -> BuiltRequest:
    return build_request(op, input_, SERVER)


def body_bytes(request: BuiltRequest) -> bytes:
    assert request.body is not None
    return b"".join(part.content if isinstance(part, InlineFile) else part for part in request.body.parts)  # type: ignore[misc]


def refusal(op: Operation, **input_: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        built(op, **input_)
    return {problem.pointer: problem.message for problem in refused.value.problems}


class TestThePath:
    def test_it_is_filled_in_and_encoded(self) -> None:
        op = with_parameter("path", {"type": "string"}, name="id", path="/a b/{id}/c")
        assert built(op, path={"id": "x/y ü?"}).url == "https://api.example.com/v1/a%20b/x%2Fy%20%C3%BC%3F/c"

    @pytest.mark.parametrize("value", ["", ".", ".."])
    def test_a_part_that_clients_take_out_is_refused(self, value: str) -> None:
        op = with_parameter("path", {"type": "string"}, name="id", path="/users/{id}")
        assert "/path/id" in refusal(op, path={"id": value})

    def test_a_part_that_nobody_declares_is_a_text(self) -> None:
        assert built(operation("/pets/{pet}"), path={"pet": 7}).url == "https://api.example.com/v1/pets/7"

    def test_what_is_required_is_asked_for_by_name(self) -> None:
        assert refusal(operation("/pets/{pet}")) == {"/path": "is required"}
        assert refusal(operation("/pets/{pet}"), path={}) == {"/path/pet": "is required"}

    def test_a_fragment_is_not_sent_and_a_fixed_query_is(self) -> None:
        op = operation("/do?action=list#Action=List")
        assert built(op).url == "https://api.example.com/v1/do?action=list"


class TestParameters:
    def test_unknown_ones_are_refused_with_the_near_name(self) -> None:
        op = with_parameter("query", {"type": "integer"}, name="limit")
        assert refusal(op, query={"limt": 1}) == {"/query/limt": "is not known here; did you mean limit?"}

    def test_texts_that_read_as_the_type_will_do(self) -> None:
        op = with_parameter("query", {"type": "integer", "maximum": 100}, name="limit")
        assert built(op, query={"limit": "20"}).url.endswith("?limit=20")
        assert refusal(op, query={"limit": "x"}) == {"/query/limit": "must be a whole number"}
        assert refusal(op, query={"limit": 101}) == {"/query/limit": "must be at most 100"}

    def test_one_value_will_do_for_a_list(self) -> None:
        op = with_parameter("query", {"type": "array", "items": {"type": "string"}}, name="tag")
        assert built(op, query={"tag": "a"}).url.endswith("?tag=a")

    def test_headers_end_no_lines(self) -> None:
        op = with_parameter("header", {"type": "string"}, name="X-Name")
        assert "/headers/X-Name" in refusal(op, headers={"X-Name": "a\r\nHost: evil"})

    def test_headers_that_bodies_and_sign_ins_make_are_no_parameters(self) -> None:
        op = with_parameter("header", {"type": "string"}, name="Authorization")
        assert "/headers" in refusal(op, headers={"Authorization": "x"})


class TestBodies:
    def test_json(self) -> None:
        request = built(with_body({"type": "object"}), body={"a": [1, None]})
        assert request.body is not None
        assert request.body.type == "application/json"
        assert jsonio.loads(body_bytes(request)) == {"a": [1, None]}

    def test_a_form_repeats_lists_and_writes_objects_as_json(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}, "b": {}}}
        request = built(with_body(schema, "application/x-www-form-urlencoded"), body={"a": ["1", "2"], "b": {"c": 1}})
        assert parse_qsl(body_bytes(request).decode()) == [("a", "1"), ("a", "2"), ("b", '{"c":1}')]

    def test_a_form_keeps_the_styles_of_the_file(self) -> None:
        op = with_body(
            {"type": "object"},
            "application/x-www-form-urlencoded",
            encoding={"items": {"style": "deepObject", "explode": True}},
        )
        request = built(op, body={"items": [{"price": "p", "quantity": 2}]})
        assert body_bytes(request) == b"items%5B0%5D%5Bprice%5D=p&items%5B0%5D%5Bquantity%5D=2"

    def test_multipart_has_files_and_fields_in_their_types(self) -> None:
        schema = {
            "type": "object",
            "properties": {
                "file": {"type": "string", "format": "binary"},
                "about": {"type": "object"},
                "n": {"type": "integer"},
            },
        }
        request = built(with_body(schema, "multipart/form-data"), body={"n": 1, "about": {"a": 1}, "file": PICTURE})
        assert request.body is not None
        parsed = message_from_bytes(f"Content-Type: {request.body.type}\r\n\r\n".encode() + body_bytes(request))
        parts: list[Any] = parsed.get_payload()  # type: ignore[assignment]
        told = [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True)) for part in parts]
        assert told == [
            ("text/plain", None, b"1"),
            ("application/json", None, b'{"a":1}'),
            ("image/png", "cat.png", b"\x89PNG"),
        ]

    def test_a_file_alone_is_the_body(self) -> None:
        request = built(with_body({"type": "string", "format": "binary"}, "image/*"), body=PICTURE)
        assert request.body is not None
        assert (request.body.type, body_bytes(request)) == ("image/png", b"\x89PNG")

    def test_what_is_no_file_is_refused(self) -> None:
        assert "/body" in refusal(with_body({}, "application/octet-stream"), body={"a": 1})

    def test_text_and_xml_are_sent_as_they_are(self) -> None:
        request = built(with_body({"type": "object"}, "application/xml"), body="<a/>")
        assert request.body is not None
        assert (request.body.type, body_bytes(request)) == ("application/xml", b"<a/>")

    def test_the_type_is_chosen_where_there_are_several(self) -> None:
        content = {"application/xml": {}, "application/json": {"schema": {"type": "object"}}}
        op = operation(method="post", requestBody={"content": content})
        assert built(op, body={"a": 1}).body.type == "application/json"  # type: ignore[union-attr]
        assert built(op, contentType="application/xml", body="<a/>").body.type == "application/xml"  # type: ignore[union-attr]
        assert "/contentType" in refusal(op, contentType="text/csv", body="a")

    def test_a_body_that_is_required_is_asked_for(self) -> None:
        assert refusal(with_body({"type": "object"})) == {"/body": "is required"}

    def test_null_is_sent_where_it_may_stand_and_is_nothing_elsewhere(self) -> None:
        choice = {"anyOf": [{"type": ["string", "null"]}, {"type": "integer"}]}
        op = with_body({"properties": {"a": choice, "b": {"type": "string"}}})
        assert body_bytes(built(op, body={"a": None, "b": None})) == b'{"a":null}'
        assert body_bytes(built(with_body(choice), body=None)) == b"null"

    def test_without_a_body_none_is_sent(self) -> None:
        assert built(operation(method="post", requestBody={"content": {"application/json": {}}})).body is None


class TestTheServer:
    @pytest.mark.parametrize("server", ["", "/v1", "ftp://h", "https://"])
    def test_it_must_be_a_whole_address(self, server: str) -> None:
        with pytest.raises(Invalid) as refused:
            build_request(operation(), {}, server)
        assert [problem.pointer for problem in refused.value.problems] == ["/server"]

    def test_the_type_of_the_answer_is_asked_for(self) -> None:
        responses = {"200": {"description": "", "content": {"application/vnd.shop.v2+json": {}}}}
        assert built(operation(responses=responses)).headers == [("Accept", "application/vnd.shop.v2+json, */*;q=0.5")]
