"""/api/v1/apis: APIs that people have added by their descriptions, whose operations become actions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import Field

from flowforge.api_registry.changes import ChosenActions, DescriptionSource, NewApi
from flowforge.api_registry.views import ApiSummary, ApiVersionView, ApiView, VersionDifference
from webapp.api import api_schemas
from webapp.context import backends, session
from webapp.edge import MOST_RECEIVED_BYTES
from webapp.endpoint import DELETED, JSON, Answer, Tag, created, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Flag, Query
from webapp.services import apis

blueprint = Blueprint("apis", __name__, url_prefix="/api/v1/apis")


class DeleteQuery(Query):
    force: Flag = Field(False, description="Also one that steps use.")


@blueprint.before_request
def _make_room_for_files() -> None:
    request.max_content_length = MOST_RECEIVED_BYTES


@blueprint.get("")
@endpoint(Tag.APIS, [api_schemas.ApiSummary])
def list_all() -> Sequence[ApiSummary]:
    """List the caller's APIs by name"""
    return apis().all(session(), current_user_id())


@blueprint.post("")
@endpoint(Tag.APIS, created(api_schemas.Api), takes=object_body(api_schemas.NewApi, NewApi.read), refuses=(409,))
def create(body: NewApi) -> ApiView:
    """Add an API by its description: an address or a file"""
    return apis().create(session(), backends(), current_user_id(), body)


@blueprint.get("/<uuid:api_id>")
@endpoint(Tag.APIS, api_schemas.Api)
def show(api_id: UUID) -> ApiView:
    """Get an API with the list of its operations"""
    return apis().get(session(), current_user_id(), api_id)


@blueprint.put("/<uuid:api_id>/actions")
@endpoint(Tag.APIS, api_schemas.Api, takes=object_body(api_schemas.ChosenActions, ChosenActions.read))
def choose_actions(api_id: UUID, body: ChosenActions) -> ApiView:
    """Choose the operations that the builder offers as actions"""
    return apis().choose(session(), current_user_id(), api_id, body)


@blueprint.post("/<uuid:api_id>/versions")
@endpoint(
    Tag.APIS,
    created(api_schemas.ApiVersion),
    takes=object_body(api_schemas.DescriptionSource, DescriptionSource.read),
    refuses=(409,),
)
def add_version(api_id: UUID, body: DescriptionSource) -> ApiVersionView:
    """Keep another file of an API, without taking it yet"""
    return apis().add_version(session(), backends(), current_user_id(), api_id, body)


@blueprint.get("/<uuid:api_id>/versions/<uuid:api_version_id>/difference")
@endpoint(Tag.APIS, api_schemas.VersionDifference)
def compare(api_id: UUID, api_version_id: UUID) -> VersionDifference:
    """Tell what taking a version would change, and which steps that hits"""
    return apis().compare(session(), current_user_id(), api_id, api_version_id)


@blueprint.get("/<uuid:api_id>/versions/<uuid:api_version_id>/file")
@endpoint(Tag.APIS, {200: Answer(None, "The description")})
def download(api_id: UUID, api_version_id: UUID) -> Response:
    """Download the file of a version, as JSON: it is the same version wherever it is added"""
    return Response(apis().file(session(), current_user_id(), api_id, api_version_id), mimetype=JSON)


@blueprint.post("/<uuid:api_id>/versions/<uuid:api_version_id>/take")
@endpoint(Tag.APIS, api_schemas.Api)
def take(api_id: UUID, api_version_id: UUID) -> ApiView:
    """Build new steps with a version from now on; the steps that there are keep theirs"""
    return apis().take(session(), current_user_id(), api_id, api_version_id)


@blueprint.delete("/<uuid:api_id>/versions/<uuid:api_version_id>")
@endpoint(Tag.APIS, DELETED, refuses=(409,))
def drop(api_id: UUID, api_version_id: UUID) -> None:
    """Delete a version that no step uses"""
    apis().drop(session(), current_user_id(), api_id, api_version_id)


@blueprint.delete("/<uuid:api_id>")
@endpoint(Tag.APIS, DELETED, query=DeleteQuery, refuses=(400, 409))
def delete(api_id: UUID, query: DeleteQuery) -> None:
    """Delete an API; with `force` also one that steps use"""
    apis().delete(session(), current_user_id(), api_id, force=query.force)
