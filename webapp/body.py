"""Request bodies: JSON at the edge, with errors that name the position or the field."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

import orjson
from flask import Flask, Request, request
from flask.json.provider import JSONProvider
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from flowforge import jsonio
from flowforge.errors import Invalid, Problem

Model = TypeVar("Model", bound=BaseModel)


class ContractJson(JSONProvider):
    """JSON as the wire contract writes it."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return jsonio.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return jsonio.loads(s)


class JsonRequest(Request):
    """A request whose unreadable JSON is answered with the position of the mistake."""

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        if e is None:
            raise UnsupportedMediaType("the body must be JSON, with Content-Type: application/json")
        raise Invalid.at("", _position_of(e)) from e


def install(app: Flask) -> None:
    app.request_class = JsonRequest
    app.json = ContractJson(app)


def json_object() -> dict[str, Any]:
    """Read the body, which has to be a JSON object. Raises Invalid."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise Invalid.at("", "the body must be a JSON object")
    try:
        jsonio.carried_for_database(body)
    except TypeError as error:
        raise Invalid.at("", "the body is nested too deeply") from error
    return body


def read(model: type[Model]) -> Model:
    """Read the body as `model`. Raises Invalid with every problem, each at its field."""
    try:
        return model.model_validate(json_object())
    except ValidationError as error:
        raise Invalid([_problem(item) for item in error.errors(include_url=False)]) from error


def _problem(item: Any) -> Problem:
    """Turn an error of Pydantic's into a problem, without the refused input: it may be a secret."""
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in item["loc"])
    if item["type"] == "missing":
        return Problem(pointer, "is required")
    message = str(item["msg"]).removeprefix("Value error, ")
    return Problem(pointer, message[:1].lower() + message[1:])


def _position_of(error: ValueError) -> str:
    if isinstance(error, orjson.JSONDecodeError | json.JSONDecodeError):
        return f"the body is not JSON: {error.msg}, at line {error.lineno}, column {error.colno}"
    return "the body is not JSON"
