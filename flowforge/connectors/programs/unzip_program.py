"""Unpacks the files of a ZIP archive into a folder, each under its number; what they were called is only said."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from flowforge.connectors.programs import limits

_PIECE = 1_000_000


def work(request: dict[str, Any]) -> None:
    target = Path(request["target"])
    target.mkdir()
    with _opened(request["path"]) as archive:
        chosen = [member for member in archive.infolist() if not member.is_dir() and _is_asked_for(member, request)]
        _require_limits(chosen, request)
        limits.answer_each(_unpacked(archive, chosen, target))


def _opened(path: str) -> zipfile.ZipFile:
    with limits.told_as("it is no ZIP archive, or not complete"):
        return zipfile.ZipFile(path)


def _is_asked_for(member: zipfile.ZipInfo, request: dict[str, Any]) -> bool:
    return not request["only"] or fnmatch(member.filename, request["only"])


def _require_limits(members: list[zipfile.ZipInfo], request: dict[str, Any]) -> None:
    """By the sizes in the archive's list: more is never unpacked of a file than stands there."""
    if len(members) > request["mostFiles"]:
        raise ValueError(f"it holds {len(members):,} files; at most {request['mostFiles']:,} are unpacked")
    if sum(member.file_size for member in members) > request["mostBytes"]:
        raise ValueError(f"it unpacks to more than {request['mostBytes']:,} bytes")
    if any(member.flag_bits & 1 for member in members):
        raise ValueError("it is protected by a password")


def _unpacked(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], target: Path) -> Iterator[str]:
    for number, member in enumerate(members):
        with limits.told_as(f"{member.filename!r} in it is damaged, or packed in an unknown way"):
            _unpack(archive, member, target / str(number))
        yield member.filename


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    with archive.open(member) as source, path.open("wb") as made:
        shutil.copyfileobj(source, made, _PIECE)


if __name__ == "__main__":
    limits.run(work)
