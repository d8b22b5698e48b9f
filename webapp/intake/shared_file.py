"""`/shared-files/{token}`: a file for whoever has a link to it, until that ends."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from flowforge.errors import NotFound
from flowforge.sentences import sentence
from webapp.context import backends
from webapp.endpoint import Answer, Tag, endpoint
from webapp.served_files import show_file

blueprint = Blueprint("shared_files", __name__)


@blueprint.get("/shared-files/<token>")
@endpoint(Tag.EXECUTIONS, {200: Answer(None, "The content", None)}, refuses=(404,), public=True)
def show(token: str) -> Response:
    """Download a file by a link"""
    id_ = backends().file_links.read(token, datetime.now(UTC))
    if id_ is None:
        raise NotFound(sentence("there is no such link, or it has ended"))
    return show_file(backends().files.by_link(id_))
