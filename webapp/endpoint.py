"""Declaration of an HTTP endpoint next to its route: what it takes, answers and refuses.

The view is called and its answer written by the declaration, and /api/openapi.json describes it (webapp.api.openapi).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from werkzeug.wrappers import Response

from flowforge.accounts.scopes import Scope
from flowforge.jsonio import JsonObject
from webapp.body import json_object
from webapp.identity import current_caller, leaving_caller, require
from webapp.query_params import Query, read_query
from webapp.wire import Shape, from_wire, to_wire

JSON, TEXT, HTML, EVENTS = "application/json", "text/plain", "text/html", "text/event-stream"

_READING = frozenset({"GET", "HEAD"})

V = TypeVar("V", bound=Callable[..., object])


class Tag(StrEnum):
    """The groups of the description, in its order."""

    ACCOUNTS = "Accounts"
    ADMINISTRATION = "Administration"
    WORKFLOWS = "Workflows"
    AS_CODE = "Workflows as code"
    CONNECTIONS = "Connections"
    APIS = "APIs"
    TABLES = "Tables"
    TRIGGERS = "Triggers"
    EXECUTIONS = "Executions"
    OVERVIEW = "Overview"
    DEAD_LETTERS = "Dead letters"
    CONNECTORS = "Connectors"
    LOGS = "Logs"
    WEBHOOKS = "Webhooks"
    HEALTH = "Health"
    DESCRIPTION = "Description"


@dataclass(frozen=True, slots=True)
class Body:
    """The body an endpoint takes. `described_by`: a model, a JSON schema, or None for bytes of any kind."""

    described_by: type[BaseModel] | JsonObject | None
    required: bool = True
    read: Callable[[], object] | None = None
    """Makes the view's argument `body`; None: the view reads the request itself."""
    form: JsonObject | None = None
    """JSON schema of the multipart form that may come instead."""


def model_body(model: type[BaseModel]) -> Body:
    """A JSON object that is validated by the model."""
    return Body(model, read=lambda: from_wire(model, json_object()))


def object_body(
    model: type[BaseModel] | None = None,
    read_as: Callable[[JsonObject], object] = lambda body: body,
    *,
    may_be_absent: bool = False,
) -> Body:
    """A JSON object that the core itself reads, by `read_as`, since it knows more than a model can say; any object if
    there is no model. One that may be absent is empty then."""

    def read() -> object:
        return read_as(json_object() if request.get_data() or not may_be_absent else {})

    described = {"type": "object", "additionalProperties": True} if model is None else model
    return Body(described, required=model is not None, read=read)


ANY_BODY = Body(None, required=False)


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the request that means something to the endpoint, which reads it itself."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """`shape` is None where there is no JSON body, `media_type` where there is none at all."""

    shape: Shape | None
    description: str = "Done"
    media_type: str | None = JSON


DELETED = {204: Answer(None, "Deleted", None)}


def created(model: type[BaseModel]) -> dict[int, Answer]:
    return {201: Answer(model, "Created")}


@dataclass(frozen=True, slots=True)
class Endpoint:
    tag: Tag
    answers: Mapping[int, Answer]
    """Answers by status. A view that answers with another status than the first returns the value and the status."""
    takes: Body | None = None
    query: type[Query] | None = None
    headers: tuple[Header, ...] = ()
    refuses: tuple[int, ...] = ()
    """Statuses beyond those that follow from the rest: 400, 401, 404 for an id in the path, 413, 415, 503."""
    public: bool = False
    scope: Scope | None = None
    """The scope that it asks of personal access tokens; None: what follows from the method."""
    leaving: bool = False
    """Whether an access token counts whose session has been ended."""

    def scope_for(self, method: str) -> Scope:
        return self.scope or (Scope.READ if method in _READING else Scope.WRITE)

    def arguments(self) -> dict[str, object]:
        """Read the view's arguments from the query and the body. Raises Unauthorized, Forbidden, Invalid."""
        if not self.public:
            require(self.scope_for(request.method), leaving_caller() if self.leaving else current_caller())
        found: dict[str, object] = {}
        if self.query is not None:
            found["query"] = read_query(self.query)
        if self.takes is not None and self.takes.read is not None:
            found["body"] = self.takes.read()
        return found

    def answer(self, returned: Any) -> ResponseReturnValue:
        """The response for what a view returned; one that it made itself stays as it is."""
        if isinstance(returned, Response):
            return returned
        value, status = returned if _has_status(returned) else (returned, next(iter(self.answers)))
        shape = self.answers[status].shape
        if shape is None:
            return ("" if value is None else value), status
        return jsonify(to_wire(shape, value)), status


def _has_status(returned: Any) -> bool:
    return isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], int)


def endpoint(
    tag: Tag,
    answers: Shape | Mapping[int, Answer],
    *,
    takes: Body | type[BaseModel] | None = None,
    query: type[Query] | None = None,
    headers: tuple[Header, ...] = (),
    refuses: tuple[int, ...] = (),
    public: bool = False,
    scope: Scope | None = None,
    leaving: bool = False,
) -> Callable[[V], Callable[..., ResponseReturnValue]]:
    """Declares the view below it. Unless it is public, only a signed-in user reaches it; it is called with what stands
    in the path and, where they are declared, `query` and `body`; what it returns is written as the model of `answers`
    says, which stands for {200: that model}."""
    by_status = answers if isinstance(answers, Mapping) else {200: Answer(answers)}
    body = takes if isinstance(takes, Body | None) else model_body(takes)
    declared = Endpoint(tag, by_status, body, query, headers, refuses, public, scope, leaving)

    def declare(view: V) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def answered(**path: object) -> ResponseReturnValue:
            return declared.answer(view(**path, **declared.arguments()))

        answered.declared = declared  # type: ignore[attr-defined]
        return answered

    return declare


def declared_on(view: Callable[..., object]) -> Endpoint | None:
    """Find the declaration of a view; None for one that is no part of the described interface, such as a page."""
    found: Endpoint | None = getattr(view, "declared", None)
    return found
