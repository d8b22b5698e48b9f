"""Files of the account: what is safe is shown in the browser, the rest is downloaded."""

from __future__ import annotations

from flask import Response

from flowforge.file_values import StoredFile, stored_files
from webapp.served_files import find_own, is_image, is_shown, stored_response
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id

_MOST_LISTED = 50


@blueprint.get("/files/<name>")
def show_file(name: str) -> Response:
    return stored_response(find_own(name, viewer_id()))


@blueprint.app_template_filter("files")
def files_in(value: object) -> list[StoredFile]:
    """The stored files in a value, each once."""
    return list({file.id: file for file in stored_files(value)}.values())[:_MOST_LISTED]


blueprint.add_app_template_test(is_image, "shown_image")
blueprint.add_app_template_test(is_shown, "shown")
