"""/api/v1/folders: folders of workflows, and the one that a workflow is in."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.workflows import folders
from flowforge.workflows.folders import Folder
from webapp.api import list_schemas
from webapp.context import session
from webapp.endpoint import DELETED, Tag, endpoint, model_body
from webapp.identity import current_user_id
from webapp.query_params import Query

blueprint = Blueprint("folders", __name__, url_prefix="/api/v1")


class FolderQuery(Query):
    path: str = Field(description="The folder, as in sales/leads.")


@blueprint.get("/folders")
@endpoint(Tag.WORKFLOWS, [list_schemas.Folder])
def list_all() -> Sequence[Folder]:
    """List the folders of the caller's workflows, those around others first"""
    return folders.all_of(session(), current_user_id())


@blueprint.put("/folders")
@endpoint(
    Tag.WORKFLOWS,
    list_schemas.RenamedFolder,
    query=FolderQuery,
    takes=model_body(list_schemas.WantedFolder),
    refuses=(404,),
)
def rename(query: FolderQuery, body: list_schemas.WantedFolder) -> list_schemas.RenamedFolder:
    """Rename a folder, or move it into another one, with the folders within it"""
    folder = folders.read(body.folder)
    workflows = folders.rename(session(), current_user_id(), query.path, folder)
    return list_schemas.RenamedFolder(folder=folder, workflows=workflows)


@blueprint.delete("/folders")
@endpoint(Tag.WORKFLOWS, DELETED, query=FolderQuery, refuses=(404,))
def delete(query: FolderQuery) -> None:
    """Delete a folder; its workflows are in the folder around it then"""
    folders.remove(session(), current_user_id(), query.path)


@blueprint.put("/workflows/<uuid:workflow_id>/folder")
@endpoint(Tag.WORKFLOWS, list_schemas.WantedFolder, takes=model_body(list_schemas.WantedFolder))
def place(workflow_id: UUID, body: list_schemas.WantedFolder) -> list_schemas.WantedFolder:
    """Move a workflow into a folder"""
    folder = folders.read(body.folder)
    folders.place(session(), current_user_id(), workflow_id, folder)
    return list_schemas.WantedFolder(folder=folder)
