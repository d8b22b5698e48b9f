"""Reads tables in files (CSV, XLSX, lines of JSON) record by record, and writes them."""

from __future__ import annotations

import codecs
import csv
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from flowforge.connectors.programs import limits
from flowforge.delimiters import delimiter_of

_LARGEST_FIELD = 10_000_000
_LARGEST_WORKBOOK = 500_000_000
_LONGEST_CELL = 32_767
"""Characters (Excel specifications and limits)."""
_PIECE = 1_000_000
_HEAD = 1_000
_NO_TEXTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")
"""How archives (XLSX is one), old workbooks (XLS) and PDFs begin."""
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|table|\?xml)", re.IGNORECASE)
"""How pages begin, which servers send in the place of a file (a sign-in, an error)."""
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a cell a formula (OWASP, CSV injection)."""


def work(request: dict[str, Any]) -> None:
    csv.field_size_limit(_LARGEST_FIELD)
    if "path" in request and "target" not in request:
        limits.answer_each(_READERS[request["format"]](request))
        return
    columns = request["columns"] or [*dict.fromkeys(name for record in _records(request) for name in record)]
    _WRITERS[request["format"]](request, columns)
    limits.answer_each([columns])


# -- reading


def _read_csv(request: dict[str, Any]) -> Iterator[Any]:
    _require_text(request["path"])
    codec = request["charset"] or charset_of(request["path"])
    with open(request["path"], encoding=codec, errors="replace", newline="") as file:
        _require_no_markup(file.read(_HEAD))
        file.seek(0)
        delimiter = request["delimiter"] or delimiter_of(file.readline(_PIECE))
        file.seek(0)
        rows = _csv_rows(file, delimiter, request["quote"])
        yield from _named(row for row in islice(rows, request["skip"], None) if row) if request["header"] else rows


def _csv_rows(file: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    reader = csv.reader(_text_lines(file), delimiter=delimiter, quotechar=quote)
    try:
        yield from reader
    except csv.Error as error:
        told = f"a cell is longer than {_LARGEST_FIELD:,} characters; perhaps a quote is not closed"
        raise ValueError(f"line {reader.line_num}: {told}") from error


def _text_lines(file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise ValueError(
                f"it is no CSV: line {number} has NUL bytes, which no text has, or it is in another charset"
            )
        yield line


def _read_xlsx(request: dict[str, Any]) -> Iterator[Any]:
    from openpyxl import load_workbook

    _require_workbook(request["path"])
    with limits.told_as("it is a workbook that is damaged, or not complete"):
        # By its name openpyxl would judge it.
        book = load_workbook(open(request["path"], "rb"), read_only=True, data_only=True)  # noqa: SIM115 - to its end
    name = request["sheet"]
    if name and name not in book.sheetnames:
        raise ValueError(f"there is no sheet {name!r}; there is {', '.join(map(repr, book.sheetnames[:10]))}")
    sheet = book[name or book.sheetnames[0]]
    sheet.reset_dimensions()  # they may be wrong
    rows = _xlsx_rows(sheet)
    filled = (row for row in islice(rows, request["skip"], None) if any(cell is not None for cell in row))
    yield from _named(filled) if request["header"] else filled


def _xlsx_rows(sheet: Any) -> Iterator[list[Any]]:
    with limits.told_as(f"its sheet {sheet.title!r} is damaged, or not complete"):
        for row in sheet.iter_rows(values_only=True):
            yield [_json_of(cell) for cell in row]


def _read_jsonl(request: dict[str, Any]) -> Iterator[Any]:
    with open(request["path"], encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_line(line, number)


_READERS: Mapping[str, Callable[[dict[str, Any]], Iterator[Any]]] = {
    "csv": _read_csv,
    "xlsx": _read_xlsx,
    "jsonl": _read_jsonl,
}


def charset_of(path: str) -> str:
    """The codec that a text is in: as its byte order mark says, else UTF-8 where all of it is, else windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        mark = file.read(3)
        file.seek(0)
        if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _named(rows: Iterator[list[Any]]) -> Iterator[dict[str, Any]]:
    """The rows as records, by the names in the first one: every column has a name of its own."""
    names = _names(next(rows, []))
    for row in rows:
        names += [f"column {number}" for number in range(len(names) + 1, len(row) + 1)]
        yield dict(zip(names, row, strict=False))


def _names(head: list[Any]) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(head, 1):
        name = "" if cell is None else str(cell).strip()
        first = name or f"column {number}"
        names.append(first if first not in names else f"{first} ({number})")
    return names


def _json_of(cell: Any) -> Any:
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return cell if isinstance(cell, str | int | float | bool | None) else str(cell)


def _json_line(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} is not JSON") from error


def _require_text(path: str) -> None:
    with open(path, "rb") as file:
        if file.read(8).startswith(_NO_TEXTS):
            raise ValueError("it is no CSV; a workbook needs the format XLSX, and Excel saves older ones (XLS) as such")


def _require_no_markup(head: str) -> None:
    if _MARKUP.match(head):
        raise ValueError("it is no CSV but a page (HTML) or XML; perhaps a sign-in came in the place of the file")


def _require_workbook(path: str) -> None:
    """What a bomb unpacks to stands in its list of contents."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no Excel workbook (XLSX); Excel saves older ones (XLS) as such")
    with limits.told_as("it is a workbook that is damaged, or not complete"), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if not any(member.filename.startswith("xl/") for member in members):
        raise ValueError("it is no Excel workbook (XLSX) but another archive")
    if sum(member.file_size for member in members) > _LARGEST_WORKBOOK:
        raise ValueError(f"it unpacks to more than {_LARGEST_WORKBOOK:,} bytes")


# -- writing


def _records(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The records, any number of times."""
    found = _read_jsonl(request) if "path" in request else iter(request["rows"])
    for number, record in enumerate(found):
        if not isinstance(record, dict):
            raise ValueError(f"row {number} is no object")
        yield record


def _write_csv(request: dict[str, Any], columns: list[str]) -> None:
    mark = "-sig" if request["forExcel"] else ""
    cell = _guarded if request["forExcel"] else _text
    with open(request["target"], "w", encoding=f"utf-8{mark}", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=request["delimiter"] or ",", quotechar=request["quote"])
        if request["header"]:
            writer.writerow(map(cell, columns))
        for record in _records(request):
            writer.writerow([cell(record.get(name)) for name in columns])


def _write_xlsx(request: dict[str, Any], columns: list[str]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(request["sheet"] or "Sheet1")
    if request["header"]:
        sheet.append([_cell(sheet, name) for name in columns])
    for record in _records(request):
        sheet.append([_cell(sheet, record.get(name)) for name in columns])
    book.save(request["target"])


def _write_jsonl(request: dict[str, Any], columns: list[str]) -> None:
    with open(request["target"], "w", encoding="utf-8") as file:
        for record in _records(request):
            chosen = {name: record[name] for name in columns if name in record}
            file.write(json.dumps(chosen, ensure_ascii=False) + "\n")


_WRITERS: Mapping[str, Callable[[dict[str, Any], list[str]], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "jsonl": _write_jsonl,
}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _guarded(value: Any) -> str:
    """A text that Excel does not take for a formula; a number stays one."""
    written = _text(value)
    return f"'{written}" if isinstance(value, str) and written.startswith(_FORMULA_MARKS) else written


def _cell(sheet: Any, value: Any) -> Any:
    """A text is never a formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**15):
        return value
    written = ILLEGAL_CHARACTERS_RE.sub("", _text(value))
    if len(written) > _LONGEST_CELL:
        raise ValueError(f"a cell may have {_LONGEST_CELL:,} characters")
    cell = WriteOnlyCell(sheet, written)
    cell.data_type = "s"
    return cell


if __name__ == "__main__":
    limits.run(work)
