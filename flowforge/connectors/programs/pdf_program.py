"""Reads the text of a PDF, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from flowforge.connectors.programs import limits

_ABOUT = ("title", "author", "subject")
_MARK = b"%PDF-"
_HEAD = 1_024
"""Bytes in which readers look for the mark."""
_DAMAGED = "it is a PDF that is damaged, or not complete"


def work(request: dict[str, Any]) -> None:
    reader = _opened(request["path"])
    if reader.is_encrypted and not reader.decrypt(request["password"]):
        raise ValueError("it needs another password" if request["password"] else "it needs a password")
    with limits.told_as(_DAMAGED):
        about = {name: _text(getattr(reader.metadata, name, None)) for name in _ABOUT}
        count = len(reader.pages)
    limits.say([{"count": count, **about}])
    first, last = request["first"] - 1, request["last"]
    limits.answer_each(_texts(reader, range(count)[first:last]))


def _opened(path: str) -> PdfReader:
    with Path(path).open("rb") as file:
        if _MARK not in file.read(_HEAD):
            raise ValueError("it is no PDF")
    with limits.told_as(_DAMAGED):
        return PdfReader(path)


def _texts(reader: PdfReader, numbers: range) -> Iterator[str]:
    for number in numbers:
        with limits.told_as(f"page {number + 1} is damaged"):
            text = reader.pages[number].extract_text()
        yield text


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


if __name__ == "__main__":
    limits.run(work)
