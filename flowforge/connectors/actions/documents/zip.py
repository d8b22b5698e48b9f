"""ZIP: files packed into an archive."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import PurePath

from flowforge.connectors.sdk import (
    ConnectorConfig,
    ConnectorError,
    Content,
    Files,
    StepContext,
    connector,
    field,
    first_of,
)
from flowforge.jsonio import JsonObject

_MOST_FILES = 1_000
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of each file: an archive of the same files is the same one."""


class Config(ConnectorConfig):
    files: Files = field(title="Files", description="A file, or a list of them.", min_length=1, max_length=_MOST_FILES)
    name: str = field("files.zip", title="File name", max_length=200)


@connector(
    "ZIP",
    Config,
    title="Pack a ZIP archive",
    help="Makes a ZIP archive of files.",
    icon="letters",
    keywords=("zip", "archive", "compress", "pack"),
    summary=first_of("name", "files"),
)
def zip_(config: Config, context: StepContext) -> JsonObject:
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            taken: set[str] = set()
            for file in config.files:
                _add(archive, context.files.content(file), taken)
                if target.tell() > context.files.most_bytes:
                    raise ConnectorError(f"the archive has more than {context.files.most_bytes} bytes", permanent=True)
        return {"file": context.files.keep(target, config.name, "application/zip").as_json()}


def _add(archive: zipfile.ZipFile, content: Content, taken: set[str]) -> None:
    name = _free_name(content.name, taken)
    taken.add(name)
    about = zipfile.ZipInfo(name, _EARLIEST)
    about.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(about, "w") as member:
        for piece in content.pieces():
            member.write(piece)


def _free_name(name: str, taken: set[str]) -> str:
    """`a.txt`, `a (2).txt`, ..."""
    path, number, free = PurePath(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free
