"""Reads the text of a PDF, page by page."""

from __future__ import annotations

from typing import Any

from pypdf import PdfReader
from pypdf.errors import PdfReadError

from flowforge.connectors.programs import limits

_ABOUT = ("title", "author", "subject")


def work(request: dict[str, Any]) -> None:
    try:
        _read(request)
    except PdfReadError as error:
        raise ValueError(f"it is no PDF that can be read: {error}") from error


def _read(request: dict[str, Any]) -> None:
    reader = PdfReader(request["path"])
    if reader.is_encrypted and not reader.decrypt(request["password"]):
        raise ValueError("it needs another password" if request["password"] else "it needs a password")
    about = {name: _text(getattr(reader.metadata, name, None)) for name in _ABOUT}
    limits.say([{"count": len(reader.pages), **about}])
    first, last = request["first"] - 1, request["last"]
    limits.answer_each(page.extract_text() for page in reader.pages[first:last])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


if __name__ == "__main__":
    limits.run(work)
