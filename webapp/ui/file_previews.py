"""Previews of files that browsers do not show by themselves: the beginning of a text, the first rows of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Any
from uuid import UUID

from flask import render_template, request

from flowforge import jsonio
from flowforge.executions import executions
from flowforge.executions.inline_files import find_inline_file
from flowforge.file_values import AnyFile, InlineFile
from flowforge.files.files import KeptFile
from flowforge.media_types import media_type_of
from webapp import served_files
from webapp.context import session
from webapp.held_threads import place_for_download
from webapp.ui.base import blueprint
from webapp.ui.frames import requested_frame
from webapp.ui.guard import viewer_id
from webapp.ui.value_views import MOST_COLUMNS, MOST_ROWS, Table

MOST_BYTES = 64 * 1024
_CSV, _JSON = "text/csv", "application/json"
_TEXTS = frozenset({_JSON, "application/xml", "application/yaml", "application/x-yaml", "application/javascript"})


@dataclass(frozen=True, slots=True)
class Preview:
    text: str
    is_cut: bool
    table: Table | None = None
    value: Any = None
    """What a JSON file holds."""


@blueprint.app_template_test("previewed")
def is_previewed(file: AnyFile) -> bool:
    """Whether its beginning can be read as text."""
    type_ = media_type_of(file.type)
    return type_.startswith("text/") or type_ in _TEXTS


@blueprint.get("/files/<name>/preview")
def preview_file(name: str) -> str:
    kept = served_files.find_own(name, viewer_id())
    with place_for_download(kept):
        content = _beginning(kept.pieces())
    return _shown(kept, content)


@blueprint.get("/executions/<uuid:execution_id>/files/<sha256>/preview")
def preview_inline_file(execution_id: UUID, sha256: str) -> str:
    """Its name is in the query."""
    execution, name = executions.get(session(), viewer_id(), execution_id), request.args.get("name", "")
    file = find_inline_file(session(), execution, requested_frame(), sha256, name)
    return _shown(file, file.content[: MOST_BYTES + 1])


def _beginning(pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > MOST_BYTES:
            break
    return bytes(found[: MOST_BYTES + 1])


def _shown(file: KeptFile | InlineFile, content: bytes) -> str:
    about = file.file if isinstance(file, KeptFile) else file
    return render_template("_file_preview.html", file=about, preview=preview_of(content, media_type_of(about.type)))


def preview_of(content: bytes, type_: str) -> Preview:
    """Read the beginning of a file; a byte more than MOST_BYTES says that there is more."""
    text, is_cut = content[:MOST_BYTES].decode("utf-8-sig", "replace"), len(content) > MOST_BYTES
    if type_ == _CSV:
        return Preview(text, is_cut, table=_table(text))
    if type_ == _JSON and not is_cut:
        try:
            return Preview(text, is_cut, value=jsonio.loads(text))
        except ValueError:
            pass  # it is shown as the text that it is
    return Preview(text, is_cut)


def _table(text: str) -> Table:
    try:
        rows = list(islice(csv.reader(StringIO(text)), MOST_ROWS + 1))
    except csv.Error:
        rows = []
    head, *others = rows or [[]]
    return Table("", head[:MOST_COLUMNS], [row[:MOST_COLUMNS] for row in others])
