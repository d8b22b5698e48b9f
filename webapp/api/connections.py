"""/api/v1/connections, /connection-types and /secrets: what steps need to reach a service, kept under names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify

from flowforge.connections import named_secrets
from flowforge.connectors.sdk import ConnectionKind
from flowforge.db.tables import Connection
from webapp.api import connection_schemas, query_params
from webapp.api.schemas import Json
from webapp.body import json_object
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in
from webapp.services import connections

blueprint = Blueprint("connections", __name__, url_prefix="/api/v1")


@blueprint.get("/connection-types")
@signed_in
def list_types() -> Response:
    """What a connection can be to, with the JSON Schema of its config"""
    return jsonify([_kind_fields(kind) for kind in connections().catalog.connection_kinds.values()])


@blueprint.get("/connections")
@signed_in
def list_all() -> Response:
    """List the caller's connections by name, secrets masked"""
    return jsonify([_fields(row) for row in connections().all(session(), current_user_id())])


@blueprint.post("/connections")
@signed_in
def create() -> tuple[Response, int]:
    """Create a connection; steps call it by its name"""
    row = connections().create(session(), current_user_id(), json_object())
    return jsonify(_fields(row)), 201


@blueprint.get("/connections/<uuid:connection_id>")
@signed_in
def show(connection_id: UUID) -> Response:
    """Get a connection, secrets masked"""
    return jsonify(_fields(connections().get(session(), current_user_id(), connection_id)))


@blueprint.put("/connections/<uuid:connection_id>")
@signed_in
def replace(connection_id: UUID) -> Response:
    """Replace the config of a connection; a masked secret stays as it is"""
    row = connections().update(session(), current_user_id(), connection_id, json_object())
    return jsonify(_fields(row))


@blueprint.delete("/connections/<uuid:connection_id>")
@signed_in
def delete(connection_id: UUID) -> tuple[str, int]:
    """Delete a connection; with `force` also one that workflows use"""
    connections().delete(session(), current_user_id(), connection_id, force=query_params.flag("force"))
    return "", 204


@blueprint.post("/connections/<uuid:connection_id>/test")
@signed_in
def test(connection_id: UUID) -> Response:
    """Try a connection out; `problem` says what is wrong with it"""
    row = connections().test(session(), backends(), current_user_id(), connection_id)
    return jsonify(_fields(row))


@blueprint.get("/secrets")
@signed_in
def list_secrets() -> Response:
    """List the names of the caller's secrets; their values are never shown"""
    rows = named_secrets.names(session(), current_user_id())
    return jsonify([{"name": row.name, "updatedAt": row.updated_at} for row in rows])


@blueprint.put("/secrets/<name>")
@signed_in
def put_secret(name: str) -> tuple[str, int]:
    """Create or change a secret"""
    named_secrets.put(session(), backends().vault, current_user_id(), name, json_object().get("value"))
    return "", 204


@blueprint.delete("/secrets/<name>")
@signed_in
def delete_secret(name: str) -> tuple[str, int]:
    """Delete a secret; steps that call it fail from then on"""
    named_secrets.remove(session(), current_user_id(), name)
    return "", 204


def _fields(row: Connection) -> Json:
    view = connections().view(row)
    return connection_schemas.Connection.model_validate(view, from_attributes=True).model_dump(by_alias=True)


def _kind_fields(kind: ConnectionKind[Any]) -> Json:
    described = connection_schemas.ConnectionType(
        type=kind.name, title=kind.title, testable=kind.testable, config=kind.schema(), help=kind.help, icon=kind.icon
    )
    return described.model_dump(by_alias=True)
