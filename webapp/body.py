"""Request bodies: JSON at the edge, with errors that name the position or the field."""

from __future__ import annotations

import json
from io import BytesIO
from typing import IO, Any

import orjson
from flask import Flask, Request, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.utils import cached_property

from flowforge import charsets, jsonio
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import joined, sentence
from webapp.content_encoding import encoding_of, unpack

THE_BODY = sentence("the body")


class ContractJson(JSONProvider):
    """JSON as the wire contract writes it."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return jsonio.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return jsonio.loads(s)


def read_json(data: bytes, declared_charset: str | None, what: str = THE_BODY) -> Any:
    """The JSON in a body, or in a part of one. Raises Invalid, with the position of the mistake."""
    source = charsets.json_source(data, declared_charset)
    try:
        return jsonio.loads(source)
    except ValueError as error:
        raise Invalid.at("", joined(" ", [what, _mistake(source, error)])) from error


class UnpackedRequest(Request):
    """A request whose body is unpacked when it is read."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body. Raises RequestEntityTooLarge, Invalid, UnknownEncoding."""
        stream, encoding = super().stream, encoding_of(self.environ.get("HTTP_CONTENT_ENCODING", ""))
        if not encoding:
            return stream
        assert self.max_content_length is not None  # the edge sets it
        return BytesIO(unpack(stream.read(), encoding, self.max_content_length))


def install(app: Flask) -> None:
    app.request_class = UnpackedRequest
    app.json = ContractJson(app)


def json_object() -> JsonObject:
    """Read the body, which has to be a JSON object. Raises Invalid, UnsupportedMediaType."""
    if not request.is_json:
        raise UnsupportedMediaType("the body must be JSON, with Content-Type: application/json")
    return object_in(read_json(request.get_data(), request.mimetype_params.get("charset")))


def object_in(value: Any, what: str = THE_BODY) -> JsonObject:
    """The value, which has to be an object that can be stored. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid.at("", sentence("%(what)s must be a JSON object", what=what))
    try:
        jsonio.carried_for_database(value)
    except TypeError as error:
        raise Invalid.at("", sentence("%(what)s is nested too deeply", what=what)) from error
    return value


def _mistake(source: bytes | str, error: ValueError) -> str:
    if isinstance(source, bytes) and not charsets.is_utf8(source):
        return sentence("is not UTF-8; where it is in another charset, Content-Type has to name that (charset=...)")
    if isinstance(error, orjson.JSONDecodeError | json.JSONDecodeError):
        line, column = error.lineno, error.colno
        return sentence(
            "is not JSON: %(error)s, at line %(line)s, column %(column)s", error=error.msg, line=line, column=column
        )
    return sentence("is not JSON: %(error)s", error=str(error))
