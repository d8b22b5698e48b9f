"""READ_SPREADSHEET and WRITE_SPREADSHEET: files as people have them, and as they are made to harm."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.file_values import InlineFile, StoredFile, read_file
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run

Read = Callable[..., Any]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def step(context: StepContext, files: KeptFiles) -> StepContext:
    return replace(context, files=files, deadline=time.monotonic() + 120)


@pytest.fixture
def read(step: StepContext) -> Read:
    def read_rows(content: str | bytes, name: str = "table.csv", **config: Any) -> Any:
        data = content.encode() if isinstance(content, str) else content
        file = InlineFile.named(name, "application/octet-stream", data).as_json()
        output = run("READ_SPREADSHEET", {"file": file, **config}, step)
        assert output["count"] == len(output["rows"])
        return output["rows"]

    return read_rows


@pytest.fixture
def write(step: StepContext, files: KeptFiles) -> Callable[..., bytes]:
    def written(**config: Any) -> bytes:
        file = read_file(run("WRITE_SPREADSHEET", config, step)["file"])
        assert isinstance(file, StoredFile)
        return files.contents[file.id]

    return written


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


PEN_AND_CUP = [{"name": "pen", "price": "2"}, {"name": "cup", "price": "5"}]


@pytest.mark.parametrize(
    ("content", "config"),
    [
        ("name,price\npen,2\ncup,5\n", {}),
        ("name;price\r\npen;2\r\ncup;5", {}),
        ("name\tprice\npen\t2\ncup\t5", {}),
        ("\ufeffname,price\npen,2\n\ncup,5\n", {}),
        ("made by hand\n\nname|price\npen|2\ncup|5", {"skip": 2, "delimiter": "|"}),
        ("'name','price'\n'pen','2'\n'cup','5'", {"quote": "'"}),
        ("name,price\npen,2\ncup,5\n".encode("utf-16"), {}),
    ],
)
def test_csv_is_read_in_all_its_dialects(read: Read, content: str | bytes, config: dict[str, Any]) -> None:
    assert read(content, **config) == PEN_AND_CUP


def test_a_text_is_read_like_a_file(step: StepContext) -> None:
    assert run("READ_SPREADSHEET", {"file": "name,price\npen,2\ncup,5"}, step)["rows"] == PEN_AND_CUP


def test_cells_hold_delimiters_quotes_and_lines(read: Read) -> None:
    assert read('a,b\n"1, ""2""","3\n4"\n') == [{"a": '1, "2"', "b": "3\n4"}]


def test_columns_have_names_of_their_own(read: Read) -> None:
    assert read("a,,a\n1,2,3,4\n5\n") == [{"a": "1", "column 2": "2", "a (3)": "3", "column 4": "4"}, {"a": "5"}]
    assert read("1,2\n3,4", header=False) == [["1", "2"], ["3", "4"]]
    assert read("") == []


def test_numbers_are_made_of_texts_on_demand_only(read: Read) -> None:
    assert read("a,b,c\n1,2.5,007\n", numbers=True) == [{"a": 1, "b": 2.5, "c": "007"}]


def test_numbers_with_a_comma_are_read_on_demand(read: Read) -> None:
    text = "a;b;c;d;e;f\n1,5;-1.234,50;1.234;12;007;1.5\n"
    assert read(text, decimalComma=True) == [{"a": 1.5, "b": -1234.5, "c": 1234, "d": 12, "e": "007", "f": "1.5"}]
    assert read(text, numbers=True)[0]["a"] == "1,5"


@pytest.mark.parametrize(
    ("data", "charset"), [("größe".encode("cp1252"), ""), ("größe".encode(), ""), ("größe".encode("cp850"), "cp850")]
)
def test_charsets_are_found_or_given(read: Read, data: bytes, charset: str) -> None:
    if charset == "cp850":
        with pytest.raises(ConnectorError, match="charset: there is no such charset"):
            read(data, charset=charset)
    else:
        assert read(data + b"\n1", charset=charset) == [{"größe": "1"}]


def test_excel_gives_its_values(read: Read) -> None:
    rows = [
        ["day", "amount", "ok", "at"],
        [date(2026, 3, 4), 12.5, True, datetime(2026, 3, 4, 5, 6)],
        [None] * 4,
        ["x"],
    ]
    book = workbook(("First", rows), ("Second", [["a"], [1]]))
    assert read(book, "report.xlsx") == [
        {"day": "2026-03-04", "amount": 12.5, "ok": True, "at": "2026-03-04T05:06:00"},
        {"day": "x"},
    ]
    assert read(book, "report.xlsx", sheet="Second") == [{"a": 1}]
    with pytest.raises(ConnectorError, match="there is no sheet 'Third'; there is 'First', 'Second'"):
        read(book, "report.xlsx", sheet="Third")


def test_lines_of_json_are_read(read: Read) -> None:
    assert read('{"a":1}\n\n{"a":[2]}\n', "a.jsonl") == [{"a": 1}, {"a": [2]}]
    with pytest.raises(ConnectorError, match="the work on the spreadsheet cannot be done: line 2 is not JSON"):
        read('{"a":1}\n{', "a.jsonl")


def test_any_number_of_rows_goes_into_a_file(step: StepContext, files: KeptFiles) -> None:
    text = "n\n" + "\n".join(map(str, range(50_000)))
    file = InlineFile.named("a.csv", "text/csv", text.encode()).as_json()
    output = run("READ_SPREADSHEET", {"file": file, "result": "file"}, step)
    assert output["count"] == 50_000
    kept = read_file(output["file"])
    assert isinstance(kept, StoredFile)
    assert files.contents[kept.id].startswith(b'{"n":"0"}\n{"n":"1"}\n')
    with pytest.raises(ConnectorError, match="mostRows: there are more than 10000 rows"):
        run("READ_SPREADSHEET", {"file": file}, step)
    again = run("WRITE_SPREADSHEET", {"source": output["file"], "format": "csv"}, step)
    made = read_file(again["file"])
    assert isinstance(made, StoredFile)
    assert files.contents[made.id].replace(b"\r\n", b"\n").decode() == text + "\n"


ROWS = [{"name": "Ada, B.", "n": 1, "ok": True}, {"name": '=1+"1"', "tags": ["a"], "n": None}]


def test_csv_is_written(write: Callable[..., bytes]) -> None:
    assert write(rows=ROWS).decode() == 'name,n,ok,tags\r\n"Ada, B.",1,true,\r\n"=1+""1""",,,"[""a""]"\r\n'
    assert (
        write(rows=ROWS, columns=["n", "name"], delimiter=";", header=False).decode() == '1;Ada, B.\r\n;"=1+""1"""\r\n'
    )


def test_csv_for_excel_holds_no_formula(write: Callable[..., bytes]) -> None:
    made = write(rows=[{"a": "=HYPERLINK()", "b": -5}], forExcel=True)
    assert made == "\ufeffa,b\r\n'=HYPERLINK(),-5\r\n".encode()


def test_excel_is_written_and_texts_are_no_formulas(write: Callable[..., bytes]) -> None:
    made = write(rows=[*ROWS, {"name": "\x01bell"}], format="xlsx", sheet="People")
    sheet = load_workbook(io.BytesIO(made))["People"]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["name", "n", "ok", "tags"],
        ["Ada, B.", 1, True, None],
        ['=1+"1"', None, None, '["a"]'],
        ["bell", None, None, None],
    ]
    assert sheet["A3"].data_type == "s"


def test_what_is_read_is_what_was_written(write: Callable[..., bytes], read: Read) -> None:
    rows = [{"a": "x\ny", "b": '"'}, {"a": ";", "b": "ü"}]
    for format_ in ("csv", "xlsx", "jsonl"):
        assert read(write(rows=rows, format=format_), f"a.{format_}") == rows


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, "either rows or source is needed"),
        ({"rows": [1]}, "row 0 is no object"),
        ({"rows": [{"a": "x" * 40_000}], "format": "xlsx"}, "a cell may have 32,767 characters"),
        ({"rows": [{}], "format": "xls"}, "format: "),
    ],
)
def test_what_cannot_be_written_is_told(write: Callable[..., bytes], config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        write(**config)
    assert told in str(caught.value)


def _bomb() -> bytes:
    """A workbook whose sheet unpacks to 600 MB."""
    buffer = io.BytesIO(workbook(("A", [["a"]])))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/big.xml", "w") as big:
        for _ in range(600):
            big.write(b" " * 1_000_000)
    return buffer.getvalue()


ENTITIES = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (97 + n, b"&%c;" % (96 + n) * 10) for n in range(1, 10)
)


def _with_entities() -> bytes:
    return _with_sheet(
        ENTITIES + b"]><worksheet><sheetData><row><c t='str'><v>&j;</v></c></row></sheetData></worksheet>"
    )


def _cut_off() -> bytes:
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:A2"/>'
    return _with_sheet(start + b'<sheetData><row r="1"><c r="A1" t="str"><v>name</v></c></row><row r="2"><c r="A2"')


def _with_sheet(written: bytes) -> bytes:
    """A workbook with a sheet A that another program has written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("A", [["a"]])))) as book, zipfile.ZipFile(buffer, "w") as made:
        for member in book.infolist():
            made.writestr(member, written if member.filename.endswith("sheet1.xml") else book.read(member))
    return buffer.getvalue()


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("word/document.xml", "<document/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"PK\x03\x04 no book", "a.xlsx", "it is no Excel workbook (XLSX)"),
        (_bomb, "a.xlsx", "it unpacks to more than 500,000,000 bytes"),
        (_bomb, "a.bin", "it is no CSV; a workbook needs the format XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "it is no CSV; a workbook needs the format XLSX"),
        (b"%PDF-1.7\n", "a.csv", "it is no CSV"),
        (b'{"a": "\xfc"}\n', "a.jsonl", "it is not in UTF-8"),
        (_with_entities, "a.xlsx", "it is a workbook that is damaged, or not complete"),
        (_cut_off, "a.xlsx", "its sheet 'A' is damaged, or not complete"),
        (_archive, "a.xlsx", "it is no Excel workbook (XLSX) but another archive"),
        (b'a,b\n"' + b"x" * 11_000_000, "a.csv", "line 2: a cell is longer than 10,000,000 characters"),
        (b"[" * 200_000, "a.jsonl", "line 1 is not JSON"),
        (b"a,b\n1,\0\n", "a.csv", "it is no CSV: line 2 has NUL bytes"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a.csv", "it is no CSV but a page (HTML) or XML"),
        (b"<?xml version='1.0'?><a/>", "a.csv", "it is no CSV but a page (HTML) or XML"),
    ],
)
def test_hostile_files_end_in_a_clear_error(
    read: Read, content: bytes | Callable[[], bytes], name: str, told: str
) -> None:
    with pytest.raises(ConnectorError) as caught:
        read(content if isinstance(content, bytes) else content(), name)
    assert told in str(caught.value)
    assert caught.value.permanent
