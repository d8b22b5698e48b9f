"""The form of an operation, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.apis.body_kinds import BodyKind, body_kind
from flowforge.apis.operation import Body, Operation, Parameter, Place
from flowforge.apis.schemas.keywords import FILE
from flowforge.apis.schemas.reader import Purpose, read_schema
from flowforge.apis.shapes import as_object
from flowforge.jsonio import JsonObject

GROUPS: Mapping[Place, str] = {"path": "path", "query": "query", "header": "headers", "cookie": "cookies"}
"""The names of the places in an input."""
_TITLES = {"path": "Path", "query": "Query", "headers": "Headers", "cookies": "Cookies"}


def form_schema(operation: Operation, content_type: str | None = None) -> JsonObject:
    """The schema of an operation's `input`.

    It is an object with those of `path`, `query`, `headers`, `cookies` (objects of parameters by name), `contentType`
    (the media types of the body, where there are several) and `body` that the operation has; the schema of `body` is
    the one for `content_type`. Every schema in it stands alone: references are resolved, `allOf` is merged, and of
    these keywords only are used: `type` (one name; absent means any JSON), `title`, `description`, `enum`, `default`,
    `examples`, `format`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minLength`,
    `maxLength`, `pattern`, `properties`, `required`, `additionalProperties` (false, or a schema), `items`, `minItems`,
    `maxItems`, `uniqueItems`, `oneOf` (a choice, each with a title), `nullable`, `deprecated`, `writeOnly` (a secret),
    `discriminator` (the property of the choices that tells them apart). A file has `format: binary`: a file value, as
    steps and webhooks give it. Where a schema contains itself, or is too large, its inside is any JSON.

    The result is kept and shared: it must not be changed.
    """
    key = ("form", operation.id, content_type)
    return operation.recent.get(key, lambda: _form(operation, operation.body(content_type)))


def _form(operation: Operation, body: Body | None) -> JsonObject:
    properties = _groups(operation)
    required = [name for name, group in properties.items() if group.get("required")]
    if len(operation.bodies) > 1:
        properties["contentType"] = _content_types(operation)
    if body is not None:
        properties["body"] = _body(operation, body)
        required += ["body"] if operation.body_required else []
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _groups(operation: Operation) -> JsonObject:
    groups: JsonObject = {}
    for parameter in operation.parameters:
        groups.setdefault(GROUPS[parameter.place], []).append(parameter)
    return {name: _group(operation, name, groups[name]) for name in _TITLES if name in groups}


def _group(operation: Operation, name: str, parameters: list[Parameter]) -> JsonObject:
    properties = {parameter.name: _schema(parameter) for parameter in parameters}
    required = [parameter.name for parameter in parameters if parameter.required]
    whole = {"type": "object", "properties": properties, "required": required}
    return {**read_schema(operation.references, whole, "input"), "title": _TITLES[name], "additionalProperties": False}


def _schema(parameter: Parameter) -> JsonObject:
    said = {
        "description": parameter.description,
        "deprecated": parameter.deprecated,
        "example": parameter.example,
    }
    return {**{keyword: value for keyword, value in said.items() if value}, "allOf": [parameter.schema]}


def _content_types(operation: Operation) -> JsonObject:
    types = [body.type for body in operation.bodies]
    return {"type": "string", "title": "Content type", "enum": types, "default": types[0]}


def _body(operation: Operation, body: Body) -> JsonObject:
    kind = body_kind(body)
    purpose: Purpose = "input" if kind in ("json", "form") else "upload"
    plain = read_schema(operation.references, _sent_as(kind, body), purpose)
    example = {"examples": [body.example]} if body.example is not None and not plain.get("examples") else {}
    return {**plain, "title": "Body", **example}


def _sent_as(kind: BodyKind, body: Body) -> JsonObject:
    described = {"description": body.schema["description"]} if body.schema.get("description") else {}
    if kind == "text":
        return {"type": "string", **described}
    if kind == "file":
        return {**FILE, **described}
    return _with_files(body) if kind == "multipart" else body.schema


def _with_files(body: Body) -> JsonObject:
    """Parts of which only a media type is said are files (OpenAPI 3.1, section 4.8.14.4)."""
    properties = as_object(body.schema.get("properties"))
    files = {name: FILE for name, schema in properties.items() if not schema and _is_file(body, name)}
    return {**body.schema, "properties": {**properties, **files}} if files else body.schema


def _is_file(body: Body, name: str) -> bool:
    encoding: Any = body.encodings.get(name)
    return encoding is None or not encoding.content_type.startswith(("text/", "application/json"))
