"""Request bodies: JSON at the edge, with errors that name the position or the field."""

from __future__ import annotations

import json
from io import BytesIO
from typing import IO, Any, NoReturn

import orjson
from flask import Flask, Request, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.utils import cached_property

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from webapp.content_encoding import encoding_of, unpack


class ContractJson(JSONProvider):
    """JSON as the wire contract writes it."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return jsonio.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return jsonio.loads(s)


class JsonRequest(Request):
    """A request whose body is unpacked when it is read, and whose unreadable JSON is answered with the position of the
    mistake."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body. Raises RequestEntityTooLarge, Invalid, UnknownEncoding."""
        stream, encoding = super().stream, encoding_of(self.headers.get("Content-Encoding", ""))
        if not encoding:
            return stream
        assert self.max_content_length is not None  # the edge sets it
        return BytesIO(unpack(stream.read(), encoding, self.max_content_length))

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        if e is None:
            raise UnsupportedMediaType("the body must be JSON, with Content-Type: application/json")
        raise Invalid.at("", _position_of(e)) from e


def install(app: Flask) -> None:
    app.request_class = JsonRequest
    app.json = ContractJson(app)


def json_object() -> JsonObject:
    """Read the body, which has to be a JSON object. Raises Invalid."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise Invalid.at("", "the body must be a JSON object")
    try:
        jsonio.carried_for_database(body)
    except TypeError as error:
        raise Invalid.at("", "the body is nested too deeply") from error
    return body


def _position_of(error: ValueError) -> str:
    if isinstance(error, orjson.JSONDecodeError | json.JSONDecodeError):
        return f"the body is not JSON: {error.msg}, at line {error.lineno}, column {error.colno}"
    return "the body is not JSON"
