"""UNZIP: the files of a ZIP archive."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

from flowforge.connectors.sdk import (
    ConnectorConfig,
    File,
    StepContext,
    child,
    connector,
    field,
    first_of,
    foreign_files,
)
from flowforge.file_values import ANY_TYPE
from flowforge.jsonio import JsonObject

_UNZIP = child.Program("unzip_program", memory=512 * 1024 * 1024, work="the work on the archive")
_MOST_FILES = 1_000
_TIMES_A_FILE = 4
"""How often the limit of one file all of them together may have."""


class Config(ConnectorConfig):
    file: File = field(title="Archive")
    only: str = field("", title="Only", description="A pattern for the names: *.csv, invoices/*. Empty: all files.")


@connector(
    "UNZIP",
    Config,
    title="Unpack a ZIP archive",
    help="Gives the files of a ZIP archive.",
    icon="letters",
    keywords=("zip", "unzip", "archive", "compressed", "extract"),
    summary=first_of("file", "only"),
)
def unzip(config: Config, context: StepContext) -> JsonObject:
    bounds = {"mostFiles": _MOST_FILES, "mostBytes": context.files.most_bytes * _TIMES_A_FILE}
    with foreign_files.making(_UNZIP, context, {"only": config.only, **bounds}, config.file) as (names, folder):
        files = []
        for number, name in enumerate(names):
            with (folder / str(number)).open("rb") as unpacked:
                type_ = mimetypes.guess_type(name)[0] or ANY_TYPE
                files.append(context.files.keep(unpacked, PurePosixPath(name).name, type_).as_json())
    return {"files": files, "paths": names, "count": len(files)}
