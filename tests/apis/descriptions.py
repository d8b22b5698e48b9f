"""Small descriptions of APIs, for tests."""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.apis.description import Description
from flowforge.apis.operation import Operation
from flowforge.apis.reading import read_description

ADDRESS = "https://api.example.com/docs/openapi.json"


def described(**parts: Any) -> Description:
    """A description of OpenAPI 3.1 with these parts."""
    document = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {}, **parts}
    return read_description(jsonio.dumps(document), ADDRESS)


def operation(path: str = "/things", method: str = "get", schemas: Any = None, **node: Any) -> Operation:
    """The only operation of a description of OpenAPI 3.1."""
    parts = {"paths": {path: {method: {"operationId": "it", **node}}}, "components": {"schemas": schemas or {}}}
    return described(**parts).operation("it")


def with_parameter(place: str, schema: Any, name: str = "color", path: str = "/things", **said: Any) -> Operation:
    """An operation with one parameter."""
    parameter = {"name": name, "in": place, "schema": schema, **said}
    return operation(path, parameters=[parameter])


def with_body(schema: Any, type_: str = "application/json", schemas: Any = None, **media_type: Any) -> Operation:
    """An operation with one body."""
    content = {type_: {"schema": schema, **media_type}}
    return operation(method="post", schemas=schemas, requestBody={"required": True, "content": content})
