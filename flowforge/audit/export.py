"""The audit log as CSV or JSON lines, written piece by piece."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import StrEnum
from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.audit.search import AuditEntry, Filter, find_page

MOST_EXPORTED = 100_000
"""The most entries of one export; a narrower time finds the rest."""
_AT_ONCE = 1_000
_COLUMNS = [field.name for field in fields(AuditEntry)]
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def export(session: Session, wanted: Filter, form: Format) -> Iterator[bytes]:
    """Writes the newest entries first, at most MOST_EXPORTED. No connection is held while a piece is sent."""
    write = _csv_lines if form is Format.CSV else _json_lines
    if form is Format.CSV:
        yield _csv_row(map(to_camel, _COLUMNS))
    after, left = None, MOST_EXPORTED
    while left:
        page = find_page(session, wanted, after, min(_AT_ONCE, left))
        session.rollback()
        yield b"".join(write(page.entries))
        after, left = page.after, left - len(page.entries)
        if after is None:
            return


def _csv_lines(entries: Iterable[AuditEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield _csv_row(_cell(getattr(entry, name)) for name in _COLUMNS)


def _json_lines(entries: Iterable[AuditEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield jsonio.dumps({to_camel(name): getattr(entry, name) for name in _COLUMNS}) + b"\n"


def _csv_row(cells: Iterable[str]) -> bytes:
    """One line (RFC 4180)."""
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue().encode()


def _cell(value: Any) -> str:
    """A text that no spreadsheet takes for a formula: names are what people chose (OWASP, CSV Injection)."""
    text = _written(value)
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def _written(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else jsonio.dumps(value).decode().strip('"')
