"""Data tables as CSV (RFC 4180): written page by page, read row by row, whatever their size.

No spreadsheet takes a text for a formula: one that begins as a formula does gets an apostrophe before it (OWASP, CSV
Injection), which reading takes away again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import IO, Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connectors.tables import Added, IfThere, NewRows, WantedPage
from flowforge.data_tables.columns import ColumnType
from flowforge.data_tables.shape import Shape
from flowforge.db.data_tables_store import Limits
from flowforge.delimiters import delimiter_of
from flowforge.errors import Conflict, Invalid, OverQuota
from flowforge.jsonio import JsonObject
from flowforge.kept_tables import KeptTable
from flowforge.sentences import joined, message_of, sentence
from flowforge.table_registry.tables import open_table

ROWS_AT_ONCE = 1_000
MOST_PROBLEMS = 100
_LONGEST_CELL = 256 * 1024
_Line = tuple[int, JsonObject]
"""A row and the line of the file that it ends on."""
_BEGINS_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class LineProblem:
    line: int
    message: str


@dataclass(slots=True)
class Imported:
    """What became of the lines of a file. `left_out`: lines that cannot be rows; the first ones with their problem."""

    added: int = 0
    changed: int = 0
    known: int = 0
    left_out: int = 0
    problems: list[LineProblem] = field(default_factory=list)
    stopped: str | None = None
    """The reason why the rest of the file was not read; None where all was."""

    def count(self, added: Sequence[Added], if_there: IfThere) -> None:
        new = sum(one.is_new for one in added)
        self.added += new
        if if_there is IfThere.CHANGE:
            self.changed += len(added) - new
        else:
            self.known += len(added) - new

    def leave_out(self, line: int, message: str) -> None:
        self.left_out += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(LineProblem(line, message))


def export_csv(session: Session, user_id: UUID, table_id: UUID, limits: Limits) -> Iterator[bytes]:
    """Writes all rows, in the order in which they were added. No connection is held while a piece is sent. Raises
    NotFound before the first."""
    table = open_table(session, user_id, table_id, limits)
    record(session, Action.TABLE_EXPORTED, on=table.id, named=table.found.name)
    session.commit()
    return _pieces(session, table)


def import_csv(
    session: Session, user_id: UUID, table_id: UUID, file: IO[bytes], if_there: IfThere, limits: Limits
) -> Imported:
    """Adds the rows of a file, whose first line names the columns. Each thousand of them is committed; lines that
    cannot be rows are left out. Raises NotFound, and Invalid for a first line that names no column."""
    table = open_table(session, user_id, table_id, limits)
    imported = Imported()
    for batch in _batches(_records(table.shape, file, imported)):
        if not _add(session, table, batch, if_there, imported):
            break
    record(session, Action.TABLE_IMPORTED, on=table.id, named=table.found.name, rows=imported.added + imported.changed)
    session.commit()
    return imported


def _pieces(session: Session, table: KeptTable) -> Iterator[bytes]:
    columns = table.shape.columns
    yield _line(column.name for column in columns)
    after: str | None = None
    while True:
        page = table.find(WantedPage(limit=ROWS_AT_ONCE, after=after))
        session.rollback()
        yield b"".join(_line(_cell(row[column.name], column.type) for column in columns) for row in page["rows"])
        after = page["next"]
        if after is None:
            return


def _line(cells: Iterable[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue().encode()


def _cell(value: Any, type_: ColumnType) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) and type_ is not ColumnType.JSON else jsonio.dumps(value).decode()
    return f"'{text}" if type_ is ColumnType.TEXT and _BEGINS_FORMULA.match(text) else text


def _batches(lines: Iterable[_Line]) -> Iterator[Sequence[_Line]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield batch


def _records(shape: Shape, file: IO[bytes], imported: Imported) -> Iterator[_Line]:
    """The rows of a file. Where it cannot be read on, that is why it `stopped`. Raises Invalid for its first line."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = None
    try:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        first = text.readline(_LONGEST_CELL)
        reader = csv.reader(chain([first], text), delimiter=delimiter_of(first))
        names = _header(shape, next(reader, []))
        for cells in reader:
            if cells:
                yield from _record(shape, names, cells, reader.line_num, imported)
    except (csv.Error, UnicodeDecodeError) as error:
        imported.stopped = _why_unreadable(error, reader.line_num if reader else 1)


def _why_unreadable(error: csv.Error | UnicodeDecodeError, line: int) -> str:
    if isinstance(error, csv.Error):
        return sentence("line %(line)s is no CSV: %(error)s", line=line, error=str(error))
    return sentence("line %(line)s, or one after it, is not in UTF-8; save it as “CSV UTF-8”", line=line)


def _header(shape: Shape, cells: Sequence[str]) -> Sequence[str]:
    """The columns in the order of the file. Raises Invalid."""
    names = [cell.strip() for cell in cells]
    known = [name for name in names if name in {column.name for column in shape.columns}]
    if not known:
        wanted = ", ".join(column.name for column in shape.columns)
        raise Invalid.at(
            "", sentence("the first line names no column of the table; these are %(wanted)s", wanted=wanted)
        )
    if len(set(known)) < len(known):
        raise Invalid.at("", sentence("the first line names a column twice"))
    return names


def _record(shape: Shape, names: Sequence[str], cells: Sequence[str], line: int, imported: Imported) -> Iterator[_Line]:
    """The row of a line; none where it cannot be one. Columns that the table does not have are passed over."""
    types = {column.name: column.type for column in shape.columns}
    try:
        values = {name: _value(cell, types[name]) for name, cell in zip(names, cells, strict=False) if name in types}
        shape.new_row(values, "")
    except (Invalid, ValueError) as error:
        imported.leave_out(line, _why_no_row(error))
        return
    yield line, values


def _why_no_row(error: Invalid | ValueError) -> str:
    """The problems by their columns."""
    if not isinstance(error, Invalid):
        return message_of(error)
    first, *others = error.problems
    named = replace(first, pointer=first.pointer.removeprefix("/"))
    return joined("; ", [each.in_full for each in (named, *others)])


def _value(cell: str, type_: ColumnType) -> Any:
    """Raises ValueError."""
    if type_ is ColumnType.TEXT:
        return cell[1:] if cell.startswith("'") and _BEGINS_FORMULA.match(cell) else cell
    if not cell.strip():
        return None
    return jsonio.loads(cell) if type_ is ColumnType.JSON else cell


def _add(session: Session, table: KeptTable, batch: Sequence[_Line], if_there: IfThere, imported: Imported) -> bool:
    """Adds rows, and commits; false where there is no room for more."""
    try:
        added = table.add(NewRows([values for _, values in batch], "", False, if_there))
    except (Conflict, OverQuota) as error:
        session.rollback()
        imported.stopped = sentence("at line %(line)s: %(why)s", line=batch[0][0], why=message_of(error))
        return False
    except Invalid as error:
        session.rollback()
        return _add_halves(session, table, batch, if_there, imported, error)
    session.commit()
    imported.count(added, if_there)
    return True


def _add_halves(
    session: Session,
    table: KeptTable,
    batch: Sequence[_Line],
    if_there: IfThere,
    imported: Imported,
    error: Invalid,
) -> bool:
    """Finds the rows that are too large."""
    if len(batch) == 1:
        imported.leave_out(batch[0][0], error.problems[0].message)
        return True
    middle = len(batch) // 2
    return all(_add(session, table, half, if_there, imported) for half in (batch[:middle], batch[middle:]))
