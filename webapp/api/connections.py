"""/api/v1/connections, /connection-types and /secrets: what steps need to reach a service, kept under names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.connections import named_secrets
from flowforge.connections.changes import ConnectionChange, NewConnection
from flowforge.connections.views import ConnectionView, NamedSecretView
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset
from flowforge.connectors.sdk import ConnectionKind
from flowforge.jsonio import JsonObject
from webapp.api import connection_schemas
from webapp.context import backends, session
from webapp.endpoint import DELETED, Tag, created, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Flag, Query
from webapp.services import connections

blueprint = Blueprint("connections", __name__, url_prefix="/api/v1")


class DeleteQuery(Query):
    force: Flag = Field(False, description="Also one that workflows use.")


def _new_connection(body: JsonObject) -> NewConnection:
    return NewConnection.read(body, load_catalog().connection_kinds)


@blueprint.get("/connection-types")
@endpoint(Tag.CONNECTIONS, [connection_schemas.ConnectionType])
def list_types() -> list[connection_schemas.ConnectionType]:
    """List the kinds of connections, with the JSON Schemas of their configs"""
    return [_describe_kind(kind) for kind in connections().catalog.connection_kinds.values()]


@blueprint.get("/connection-presets")
@endpoint(Tag.CONNECTIONS, [connection_schemas.ConnectionPreset])
def list_presets() -> Sequence[Preset]:
    """List what is known beforehand of signing in to providers"""
    return list(presets().values())


@blueprint.get("/connections")
@endpoint(Tag.CONNECTIONS, [connection_schemas.Connection])
def list_all() -> Sequence[ConnectionView]:
    """List the caller's connections by name, secrets masked"""
    return connections().all(session(), current_user_id())


@blueprint.post("/connections")
@endpoint(
    Tag.CONNECTIONS,
    created(connection_schemas.Connection),
    takes=object_body(connection_schemas.NewConnection, _new_connection),
    refuses=(409,),
)
def create(body: NewConnection) -> ConnectionView:
    """Create a connection; steps call it by its name"""
    return connections().create(session(), current_user_id(), body)


@blueprint.get("/connections/<uuid:connection_id>")
@endpoint(Tag.CONNECTIONS, connection_schemas.Connection)
def show(connection_id: UUID) -> ConnectionView:
    """Get a connection, secrets masked"""
    return connections().get(session(), current_user_id(), connection_id)


@blueprint.put("/connections/<uuid:connection_id>")
@endpoint(
    Tag.CONNECTIONS,
    connection_schemas.Connection,
    takes=object_body(connection_schemas.ConnectionChange, ConnectionChange.read),
    refuses=(409,),
)
def replace(connection_id: UUID, body: ConnectionChange) -> ConnectionView:
    """Replace the config of a connection; a masked secret stays as it is"""
    return connections().update(session(), current_user_id(), connection_id, body)


@blueprint.delete("/connections/<uuid:connection_id>")
@endpoint(Tag.CONNECTIONS, DELETED, query=DeleteQuery, refuses=(400, 409))
def delete(connection_id: UUID, query: DeleteQuery) -> None:
    """Delete a connection; with `force` also one that workflows use"""
    connections().delete(session(), current_user_id(), connection_id, force=query.force)


@blueprint.post("/connections/<uuid:connection_id>/test")
@endpoint(Tag.CONNECTIONS, connection_schemas.Connection, scope=Scope.RUN)
def test(connection_id: UUID) -> ConnectionView:
    """Try a connection out; `problem` says what is wrong with it"""
    return connections().test(session(), backends(), current_user_id(), connection_id)


@blueprint.get("/secrets")
@endpoint(Tag.CONNECTIONS, [connection_schemas.SecretName])
def list_secrets() -> Sequence[NamedSecretView]:
    """List the names of the caller's secrets; their values are never shown"""
    return named_secrets.list_secrets(session(), current_user_id())


@blueprint.put("/secrets/<name>")
@endpoint(Tag.CONNECTIONS, DELETED, takes=object_body(connection_schemas.SecretValue), refuses=(400, 409))
def put_secret(name: str, body: JsonObject) -> None:
    """Create or change a secret"""
    named_secrets.put_secret(session(), backends().vault, current_user_id(), name, body.get("value"))


@blueprint.delete("/secrets/<name>")
@endpoint(Tag.CONNECTIONS, DELETED, refuses=(404,))
def delete_secret(name: str) -> None:
    """Delete a secret; steps that call it fail from then on"""
    named_secrets.delete_secret(session(), current_user_id(), name)


def _describe_kind(kind: ConnectionKind[Any]) -> connection_schemas.ConnectionType:
    return connection_schemas.ConnectionType(
        type=kind.type,
        title=kind.title,
        testable=kind.testable,
        config=kind.config_schema(),
        help=kind.help,
        icon=kind.icon,
    )
