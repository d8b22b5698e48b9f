"""Files of the account: what is safe is shown in the browser, the rest is downloaded."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from flowforge.executions import executions, inline_files
from flowforge.file_values import AnyFile, InlineFile, all_files
from webapp import served_files
from webapp.context import session
from webapp.ui.base import blueprint
from webapp.ui.frames import requested_frame
from webapp.ui.guard import viewer_id

_MOST_LISTED = 50


@blueprint.get("/files/<name>")
def show_file(name: str) -> Response:
    return served_files.show_file(served_files.find_own(name, viewer_id()))


@blueprint.get("/executions/<uuid:execution_id>/files/<sha256>")
def show_inline_file(execution_id: UUID, sha256: str) -> Response:
    """A small file that stands in the data of the execution; its name is in the query."""
    execution, name = executions.get(session(), viewer_id(), execution_id), request.args.get("name", "")
    return served_files.show_file(inline_files.find_inline_file(session(), execution, requested_frame(), sha256, name))


@blueprint.app_template_filter("files")
def files_in(value: object) -> list[AnyFile]:
    """The files in a value, each once."""
    found: dict[AnyFile, None] = {}
    for file in all_files(value):
        found[file] = None
        if len(found) == _MOST_LISTED:
            break
    return list(found)


blueprint.add_app_template_test(served_files.is_image, "shown_image")
blueprint.add_app_template_test(served_files.is_shown, "shown")


@blueprint.app_template_test("inline")
def is_inline(file: AnyFile) -> bool:
    return isinstance(file, InlineFile)
