"""/api/openapi.json, an OpenAPI 3.1 document made from the route table and the models, and /api/docs, a page of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from flowforge import jsonio
from webapp.api import schemas
from webapp.api.described import JSON, OPERATIONS, Answer, Operation, Parameter

blueprint = Blueprint("openapi", __name__, url_prefix="/api")

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
_PHRASES = {
    400: "The request cannot be used",
    401: "Nobody is signed in",
    403: "Not allowed on this server",
    404: "There is no such thing, or it is somebody else's",
    409: "It changed meanwhile, or its state forbids it",
    413: "Too large",
    415: "The body is not declared as JSON",
    429: "Too many attempts, or calls",
    503: "A database does not answer; try again later",
}
_TEXT: Json = {"type": "string", "minLength": 1}
_IN_PATHS: dict[str | None, Json] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
}
"""What the converters of routes take."""
_INTRODUCTION = (
    "Workflows, what starts them, and what became of it. Names are camelCase, ids UUIDs, times ISO-8601 in UTC. "
    "Sign in with /auth/login and send the access token as `Authorization: Bearer …`."
)


@blueprint.get("/openapi.json")
def document() -> Response:
    """This description as an OpenAPI document"""
    return Response(jsonio.dumps(describe(current_app)), mimetype=JSON)


@blueprint.get("/docs")
def page() -> str:
    """This description as a page"""
    return render_template("api/docs.html", api=describe(current_app))


def describe(app: Flask) -> Json:
    """The document. Every route of the JSON faces must be in OPERATIONS."""
    references, definitions = _schemas()
    paths: dict[str, Json] = {}
    for rule in sorted(_rules(app), key=lambda rule: (_TAGS.index(OPERATIONS[rule.endpoint].tag), rule.rule)):
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):  # type: ignore[operator]
            view = app.view_functions[rule.endpoint]
            described = _Described(rule, method, OPERATIONS[rule.endpoint], references)
            paths.setdefault(described.path, {})[method.lower()] = described.json(view.__doc__ or "")
    return {
        "openapi": "3.1.0",
        "info": {"title": "FlowForge", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in _TAGS],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


_TAGS = list(dict.fromkeys(operation.tag for operation in OPERATIONS.values()))


class _Described:
    """One method of one path."""

    def __init__(self, rule: Rule, method: str, operation: Operation, references: dict[type[BaseModel], Json]) -> None:
        self.path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + to_camel(found.group(1)) + "}", rule.rule)
        self._rule = rule
        self._operation = operation
        self._takes = operation.takes if method in {"POST", "PUT"} else None
        self._references = references
        self._id = f"{rule.endpoint.replace('.', '_')}_{method.lower()}"

    def json(self, summary: str) -> Json:
        described: Json = {
            "operationId": self._id,
            "summary": summary.partition("\n")[0],
            "tags": [self._operation.tag],
            "security": [] if self._operation.public else [{"bearer": []}],
            "parameters": [_parameter(parameter) for parameter in self._parameters()],
            "responses": {str(status): answer for status, answer in sorted(self._responses().items())},
        }
        if self._takes is not None:
            described["requestBody"] = self._body(self._takes)
        return described

    def _parameters(self) -> Iterator[Parameter]:
        for name in sorted(self._rule.arguments):
            converter = re.search(rf"<(?:(\w+):)?{name}>", self._rule.rule)
            kind = converter.group(1) if converter else None
            yield Parameter(to_camel(name), _IN_PATHS.get(kind, _TEXT), where="path")
        yield from self._operation.parameters

    def _body(self, takes: type[BaseModel] | Json) -> Json:
        if not isinstance(takes, dict):
            return {"required": True, "content": {JSON: {"schema": self._references[takes]}}}
        media_type = JSON if takes else "*/*"
        return {"required": False, "content": {media_type: {"schema": takes}}}

    def _responses(self) -> dict[int, Json]:
        errors = {status: self._error(status) for status in self._error_statuses()}
        return errors | {status: self._answer(answer) for status, answer in self._operation.answers.items()}

    def _answer(self, answer: Answer) -> Json:
        if answer.media_type is None:
            return {"description": answer.description}
        if isinstance(answer.of, list):
            schema: Json = {"type": "array", "items": self._references[answer.of[0]]}
        else:
            schema = self._references[answer.of] if answer.of else {}
        return {"description": answer.description, "content": {answer.media_type: {"schema": schema}}}

    def _error(self, status: int) -> Json:
        return {"description": _PHRASES[status], "content": {JSON: {"schema": self._references[schemas.Error]}}}

    def _error_statuses(self) -> set[int]:
        found = {*self._operation.errors, 503}
        if not self._operation.public:
            found.add(401)
        if self._takes is not None:
            found |= {400, 413, 415}
        if self._rule.arguments:
            found |= {400, 404}
        if self._operation.parameters:
            found.add(400)
        return found


def _rules(app: Flask) -> Iterable[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint in OPERATIONS]


def _parameter(parameter: Parameter) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "schema": parameter.schema,
    }
    return described | ({"description": parameter.description} if parameter.description else {})


def _schemas() -> tuple[dict[type[BaseModel], Json], Json]:
    """A reference for each model that is used, and the definitions they lead to."""
    modes: dict[type[BaseModel], Any] = {schemas.Error: "serialization"}
    for operation in OPERATIONS.values():
        for answer in operation.answers.values():
            model = answer.of[0] if isinstance(answer.of, list) else answer.of
            if model is not None:
                modes[model] = "serialization"
        if operation.takes is not None and not isinstance(operation.takes, dict):
            modes[operation.takes] = "validation"
    references, definitions = models_json_schema(list(modes.items()), ref_template=_REFERENCE)
    return {model: references[model, mode] for model, mode in modes.items()}, definitions["$defs"]
