"""/api/v1/files: files of the account, and links to them for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response
from pydantic import Field

from flowforge.file_values import LONGEST_LINK_SECONDS, StoredFile
from flowforge.files.links import FileLink
from webapp.api import file_schemas
from webapp.context import backends
from webapp.endpoint import Answer, Tag, endpoint
from webapp.identity import current_user_id
from webapp.served_files import find_own, show_file
from webapp.wire import Wire

blueprint = Blueprint("files", __name__, url_prefix="/api/v1/files")


class NewLink(Wire):
    seconds: int = Field(3600, ge=1, le=LONGEST_LINK_SECONDS, description="After so many, it ends.")


@blueprint.get("/<name>")
@endpoint(Tag.EXECUTIONS, file_schemas.File, refuses=(404,))
def show(name: str) -> StoredFile:
    """Describe a file"""
    return find_own(name, current_user_id()).file


@blueprint.get("/<name>/content")
@endpoint(Tag.EXECUTIONS, {200: Answer(None, "The content", None)}, refuses=(404,))
def content(name: str) -> Response:
    """Download a file"""
    return show_file(find_own(name, current_user_id()))


@blueprint.post("/<name>/links")
@endpoint(Tag.EXECUTIONS, {201: Answer(file_schemas.Link, "The link")}, takes=NewLink, refuses=(404,))
def make_link(name: str, body: NewLink) -> FileLink:
    """Make a link by which anybody reads a file, until it ends"""
    kept = find_own(name, current_user_id())
    return backends().file_links.make(kept.file.id, datetime.now(UTC) + timedelta(seconds=body.seconds))
