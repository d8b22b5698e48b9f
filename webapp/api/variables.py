"""/api/v1/variables: settings that are no secrets, which expressions call by their names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field

from flowforge.connections import variables
from flowforge.connections.variables import VariableView
from flowforge.jsonio import JsonObject
from webapp.context import session
from webapp.endpoint import DELETED, Tag, endpoint, object_body
from webapp.identity import current_user_id
from webapp.wire import Wire

blueprint = Blueprint("variables", __name__, url_prefix="/api/v1/variables")


class Variable(Wire):
    name: str
    value: Any
    updated_at: datetime


class VariableValue(Wire):
    value: Any = Field(description="Any JSON but null.")


@blueprint.get("")
@endpoint(Tag.CONNECTIONS, [Variable])
def list_all() -> Sequence[VariableView]:
    """List the caller's variables by name"""
    return variables.list_variables(session(), current_user_id())


@blueprint.put("/<name>")
@endpoint(Tag.CONNECTIONS, DELETED, takes=object_body(VariableValue), refuses=(400, 409))
def put(name: str, body: JsonObject) -> None:
    """Create or change a variable"""
    variables.put_variable(session(), current_user_id(), name, body.get("value"))


@blueprint.delete("/<name>")
@endpoint(Tag.CONNECTIONS, DELETED, refuses=(404,))
def delete(name: str) -> None:
    """Delete a variable; steps that call it fail from then on"""
    variables.delete_variable(session(), current_user_id(), name)
