"""/api/openapi.json, an OpenAPI 3.1 document made from the route table and the models, and /api/docs, a page of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, Flask, Response, current_app, render_template
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from webapp.api import schemas
from webapp.endpoint import HTML, JSON, Answer, Body, Endpoint, Tag, declared_on, endpoint
from webapp.query_params import parameter_schemas, required_parameters
from webapp.receiving.form_data import MULTIPART
from webapp.wire import Shape

blueprint = Blueprint("openapi", __name__, url_prefix="/api")

_REFERENCE = "#/components/schemas/{model}"
_PHRASES = {
    400: "The request cannot be used",
    401: "Nobody is signed in",
    403: "Not allowed on this server, or with this access token",
    404: "There is no such thing, or it is somebody else's",
    405: "Not called in this way",
    409: "It changed meanwhile, or its state forbids it",
    413: "Too large",
    415: "The body is not declared as JSON",
    429: "Too many attempts, or calls",
    503: "A database does not answer; try again later",
}
_TEXT: JsonObject = {"type": "string", "minLength": 1}
_IN_PATHS: dict[str | None, JsonObject] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
}
"""Schemas of path parameters, by the converter in the route."""
_INTRODUCTION = (
    "Workflows, what starts them, and what became of it. Names are camelCase, ids UUIDs, times ISO-8601 in UTC. "
    "Sign in with /auth/login and send the access token as `Authorization: Bearer …`; or a personal access token, which"
    " opens the operations of its scopes."
)


@blueprint.get("/openapi.json")
@endpoint(Tag.DESCRIPTION, {200: Answer(None, "An OpenAPI 3.1 document", JSON)}, public=True)
def document() -> Response:
    """Show this description as an OpenAPI document"""
    return Response(jsonio.dumps(describe(current_app)), mimetype=JSON)


@blueprint.get("/docs")
@endpoint(Tag.DESCRIPTION, {200: Answer(None, "A page", HTML)}, public=True)
def page() -> str:
    """Show this description as a page"""
    return render_template("api/docs.html", api=describe(current_app))


def endpoints(app: Flask) -> dict[str, Endpoint]:
    """Flask's name of a view -> what it declares, for every view of the described interface."""
    declared = {name: declared_on(view) for name, view in app.view_functions.items()}
    return {name: found for name, found in declared.items() if found is not None}


def describe(app: Flask) -> JsonObject:
    """The document, made from the routes, from what their views declare, and from the views' docstrings."""
    declared = endpoints(app)
    models = _Models.used_by(declared.values())
    paths: dict[str, JsonObject] = {}
    for method in sorted(_methods(app, declared), key=lambda method: method.order):
        paths.setdefault(method.path, {})[method.name.lower()] = method.described(models)
    return {
        "openapi": "3.1.0",
        "info": {"title": "FlowForge", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in Tag],
        "paths": paths,
        "components": {
            "schemas": models.definitions,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


@dataclass(frozen=True, slots=True)
class _Models:
    """The models that endpoints take and answer: a reference to each, and the definitions these lead to."""

    references: Mapping[type[BaseModel], JsonObject]
    definitions: JsonObject

    @classmethod
    def used_by(cls, declared: Iterable[Endpoint]) -> _Models:
        modes: dict[type[BaseModel], Literal["validation", "serialization"]] = {schemas.Error: "serialization"}
        for each in declared:
            modes |= {_model(answer.shape): "serialization" for answer in each.answers.values() if answer.shape}
            if each.takes is not None and isinstance(each.takes.described_by, type):
                modes[each.takes.described_by] = "validation"
        references, definitions = models_json_schema(list(modes.items()), ref_template=_REFERENCE)
        return cls({model: references[model, mode] for model, mode in modes.items()}, definitions["$defs"])

    def schema(self, shape: Shape | None) -> JsonObject:
        if shape is None:
            return {}
        reference = self.references[_model(shape)]
        return {"type": "array", "items": reference} if isinstance(shape, list) else reference


def _model(shape: Shape) -> type[BaseModel]:
    return shape[0] if isinstance(shape, list) else shape


def _methods(app: Flask, declared: Mapping[str, Endpoint]) -> Iterator[_Method]:
    for rule in app.url_map.iter_rules():
        for name in (rule.methods or set()) - {"HEAD", "OPTIONS"} if rule.endpoint in declared else ():
            yield _Method(rule, name, declared[rule.endpoint], app.view_functions[rule.endpoint])


@dataclass(frozen=True, slots=True)
class _Method:
    """One method of one path."""

    rule: Rule
    name: str
    declared: Endpoint
    view: Callable[..., object]

    @property
    def order(self) -> tuple[int, str, str]:
        return list(Tag).index(self.declared.tag), self.rule.rule, self.name

    @property
    def path(self) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + to_camel(found.group(1)) + "}", self.rule.rule)

    @property
    def takes(self) -> Body | None:
        return self.declared.takes if self.name in {"POST", "PUT", "PATCH"} else None

    def described(self, models: _Models) -> JsonObject:
        described: JsonObject = {
            "operationId": f"{self.rule.endpoint.replace('.', '_')}_{self.name.lower()}",
            "summary": (self.view.__doc__ or "").partition("\n")[0],
            "tags": [self.declared.tag],
            "security": [] if self.declared.public else [{"bearer": [self.declared.scope_for(self.name)]}],
            "parameters": list(self._parameters()),
            "responses": {str(status): answer for status, answer in sorted(self._responses(models).items())},
        }
        return described if self.takes is None else described | {"requestBody": _body(self.takes, models)}

    def _parameters(self) -> Iterator[JsonObject]:
        for name in sorted(self.rule.arguments):
            converter = re.search(rf"<(?:(\w+):)?{name}>", self.rule.rule)
            schema = _IN_PATHS.get(converter.group(1) if converter else None, _TEXT)
            yield {"name": to_camel(name), "in": "path", "required": True, "schema": schema}
        if query := self.declared.query:
            required = required_parameters(query)
            for name, schema in parameter_schemas(query).items():
                yield _parameter(name, "query", schema) | {"required": name in required}
        for header in self.declared.headers:
            yield _parameter(header.name, "header", {**header.schema, "description": header.description})

    def _responses(self, models: _Models) -> dict[int, JsonObject]:
        error = {JSON: {"schema": models.references[schemas.Error]}}
        refused = {status: {"description": _PHRASES[status], "content": error} for status in self._refused()}
        return refused | {status: _answer(answer, models) for status, answer in self.declared.answers.items()}

    def _refused(self) -> set[int]:
        refused = {*self.declared.refuses, 503}
        refused |= set() if self.declared.public else {401, 403}
        refused |= {400, 413, 415} if self.takes is not None else set()
        refused |= {400, 404} if self.rule.arguments else set()
        return refused | ({400} if self.declared.query or self.declared.headers else set())


def _parameter(name: str, where: str, schema: JsonObject) -> JsonObject:
    bare = {key: value for key, value in schema.items() if key != "description"}
    described: JsonObject = {"name": name, "in": where, "required": False, "schema": bare}
    return described | {key: value for key, value in schema.items() if key == "description"}


def _body(body: Body, models: _Models) -> JsonObject:
    described, media_type = body.described_by, "*/*" if body.described_by is None else JSON
    schema = described or {} if isinstance(described, dict | None) else models.references[described]
    form = {} if body.form is None else {MULTIPART: {"schema": body.form}}
    return {"required": body.required, "content": {media_type: {"schema": schema}, **form}}


def _answer(answer: Answer, models: _Models) -> JsonObject:
    if answer.media_type is None:
        return {"description": answer.description}
    content = {answer.media_type: {"schema": models.schema(answer.shape)}}
    return {"description": answer.description, "content": content}
