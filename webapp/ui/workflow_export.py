"""Workflows as files to download: one as YAML, several as a ZIP file of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import send_file
from werkzeug.wrappers import Response

from flowforge.ascode.files import file_name
from flowforge.ascode.form import text_of
from webapp.context import session
from webapp.services import bundles
from webapp.ui.guard import viewer_id


def exported(workflow_ids: Sequence[UUID]) -> Response | None:
    """The published ones among the viewer's workflows; None where there is none."""
    files: dict[str, bytes] = {}
    for document in bundles().export_by_id(session(), viewer_id(), workflow_ids):
        written = document.as_json()
        files[file_name(written, files)] = text_of(written).encode()
    if not files:
        return None
    if len(files) == 1:
        [(name, content)] = files.items()
        return send_file(io.BytesIO(content), "application/yaml", as_attachment=True, download_name=name)
    return send_file(_zipped(files), "application/zip", as_attachment=True, download_name="workflows.zip")


def _zipped(files: Mapping[str, bytes]) -> io.BytesIO:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    whole.seek(0)
    return whole
