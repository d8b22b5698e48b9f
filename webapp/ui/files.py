"""Files of the account: what is safe is shown in the browser, the rest is downloaded."""

from __future__ import annotations

from flask import Response

from flowforge.errors import NotFound
from flowforge.file_values import StoredFile, file_id, stored_files
from webapp.context import backends
from webapp.served_files import PDF, SHOWN, stored_response
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id

_MOST_LISTED = 50


@blueprint.get("/files/<name>")
def show_file(name: str) -> Response:
    id_ = file_id(name)
    if id_ is None:
        raise NotFound("there is no such file")
    return stored_response(backends().files.of_owner(id_, viewer_id()))


@blueprint.app_template_filter("files")
def files_in(value: object) -> list[StoredFile]:
    """The stored files in a value, each once."""
    return list({file.id: file for file in stored_files(value)}.values())[:_MOST_LISTED]


@blueprint.app_template_test("shown_image")
def is_shown_image(file: StoredFile) -> bool:
    return file.type in SHOWN


@blueprint.app_template_test("shown")
def is_shown(file: StoredFile) -> bool:
    """Whether a browser shows it, in place of downloading it."""
    return file.type in SHOWN or file.type == PDF
