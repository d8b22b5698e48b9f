"""The request of an operation, from the input of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowforge import jsonio
from flowforge.apis.bodies import BuiltBody, write_body
from flowforge.apis.checking import find_problems
from flowforge.apis.fitting import fit
from flowforge.apis.form import GROUPS, form_schema
from flowforge.apis.operation import IN_PATH, Body, Operation, Parameter, Place
from flowforge.apis.references import escape
from flowforge.apis.serialisation import (
    Encode,
    encode,
    encode_reserved_path,
    encode_reserved_query,
    write_in_header,
    write_in_path,
    write_pairs,
)
from flowforge.apis.servers import is_complete
from flowforge.apis.shapes import as_object
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_UNSAFE_IN_PATHS = frozenset({"", ".", ".."})
"""Clients take these out of paths, however they are encoded: another operation would be called (WHATWG URL, 4.4)."""


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """A request that only lacks what signs it."""

    method: str
    url: str
    """With its query, encoded."""
    headers: Sequence[tuple[str, str]]
    body: BuiltBody | None = None


def build_request(operation: Operation, input_: JsonObject, server: str) -> BuiltRequest:
    """Write the input (see `form_schema`) as the operation has it, below the address `server`.

    The input is taken as `fit` makes it. Raises Invalid where it does not fit, with the pointer to each field; and for
    `/server` where that is no complete address.
    """
    body = _chosen_body(operation, input_.get("contentType"))
    schema = form_schema(operation, body.type if body else None)
    raise_any([*_problems_of_server(server), *find_problems(schema, input_)])
    fitted = fit(schema, input_)
    writing = _Writing(operation, fitted)
    raise_any(list(writing.problems()))
    sent = write_body(body, fitted["body"]) if body and "body" in fitted else None
    headers = [*writing.headers(), *_cookie(writing.cookies()), *_accept(operation)]
    return BuiltRequest(operation.method, writing.url(server, body if sent else None), headers, sent)


@dataclass(frozen=True, slots=True)
class _Writing:
    """The parameters of one request."""

    operation: Operation
    input: JsonObject

    def url(self, server: str, body: Body | None) -> str:
        base, template = server.rstrip("/"), self.operation.path
        if body is not None and body.path is not None:
            base, template = _root(server), body.path
        path, _, fixed = template.partition("#")[0].partition("?")
        query = [fixed, *self._query(), *([f"{name}={value}" for name, value in body.query] if body else ())]
        joined = "&".join(filter(None, query))
        return f"{base}{self._path(path)}{'?' if joined else ''}{joined}"

    def headers(self) -> list[tuple[str, str]]:
        return [(each.name, self._header(each, value)) for each, value in self._given("header")]

    def cookies(self) -> list[str]:
        return [pair for each, value in self._given("cookie") for pair in _pairs(each, value)]

    def problems(self) -> Iterator[Problem]:
        """What no schema says: values that would change which operation is called, or end a header."""
        for segment in self.operation.path.split("/"):
            names = IN_PATH.findall(segment)
            if names and not _UNSAFE_IN_PATHS.isdisjoint(self._path(segment).split("/")):
                pointer = f"/{GROUPS['path']}/{escape(names[0])}"
                yield Problem(pointer, sentence("must not be empty or made of dots: it is a part of the path"))
        for each, value in self._given("header"):
            if any(ord(character) < 32 or ord(character) == 127 for character in self._header(each, value)):
                yield Problem(_pointer(each), sentence("must not have line breaks or other control characters"))

    def _given(self, place: Place) -> list[tuple[Parameter, Any]]:
        values = as_object(self.input.get(GROUPS[place]))
        declared = [each for each in self.operation.parameters if each.place == place and each.name in values]
        return [(each, values[each.name]) for each in declared if values[each.name] is not None]

    def _path(self, template: str) -> str:
        written = {each.name: self._in_path(each, value) for each, value in self._given("path")}
        pieces = IN_PATH.split(template)
        fixed = [encode_reserved_path(piece) for piece in pieces[::2]]
        filled = [written.get(name, "") for name in pieces[1::2]]
        return "".join(piece for pair in zip(fixed, [*filled, ""], strict=True) for piece in pair)

    def _in_path(self, each: Parameter, value: Any) -> str:
        encoded = encode_reserved_path if each.allow_reserved else encode
        if each.content_type:
            return encoded(jsonio.dumps(value).decode())
        return write_in_path(each.name, value, each.style, each.explode, encoded)

    def _header(self, each: Parameter, value: Any) -> str:
        return jsonio.dumps(value).decode() if each.content_type else write_in_header(value, each.explode)

    def _query(self) -> list[str]:
        return [pair for each, value in self._given("query") for pair in _pairs(each, value)]


def _pairs(each: Parameter, value: Any) -> list[str]:
    encoded: Encode = encode_reserved_query if each.allow_reserved else encode
    if each.content_type:
        value = jsonio.dumps(value).decode()
    return write_pairs(each.name, value, each.style, each.explode, encoded)


def _chosen_body(operation: Operation, content_type: Any) -> Body | None:
    body = operation.body(content_type)
    if content_type is not None and body is None:
        raise Invalid.at("/contentType", sentence("is no media type that this operation takes"))
    return body


def _problems_of_server(server: str) -> list[Problem]:
    return [] if is_complete(server) else [Problem("/server", sentence("must be an address with http:// or https://"))]


def _root(server: str) -> str:
    parts = urlsplit(server)
    return f"{parts.scheme}://{parts.netloc}"


def _pointer(each: Parameter) -> str:
    return f"/{GROUPS[each.place]}/{escape(each.name)}"


def _cookie(pairs: list[str]) -> list[tuple[str, str]]:
    return [("Cookie", "; ".join(pairs))] if pairs else []


def _accept(operation: Operation) -> list[tuple[str, str]]:
    """The type of the answer, for APIs that have it in several versions; other types will do."""
    types = (answer.type for answer in operation.answers if answer.status.startswith("2") and answer.type)
    type_ = next(types, None)
    return [("Accept", f"{type_}, */*;q=0.5")] if type_ and type_ != "*/*" else []
