"""Calendars, PDF, ZIP and JSON Schema: documents as people have them, and as they are made to harm."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.file_values import InlineFile, StoredFile, read_file
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run

Do = Callable[..., Any]


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def do(context: StepContext, files: KeptFiles) -> Do:
    step = replace(context, files=files, deadline=time.monotonic() + 120)
    return lambda type_, **config: run(type_, config, step)


def given(name: str, content: bytes) -> dict[str, Any]:
    return InlineFile.named(name, "application/octet-stream", content).as_json()


def content_of(files: KeptFiles, value: Any) -> bytes:
    file = read_file(value)
    assert isinstance(file, StoredFile)
    return files.contents[file.id]


INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:1@x.test
SUMMARY:Lunch\\, and more
DTSTART;TZID=Europe/Berlin:20260704T120000
DURATION:PT90M
LOCATION:Canteen
ORGANIZER;CN=Ada:mailto:ada@x.test
ATTENDEE;CN=Bob:mailto:bob@x.test
ATTENDEE:MAILTO:cyd@x.test
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
BEGIN:VEVENT
UID:2@x.test
SUMMARY:Holiday
DTSTART;VALUE=DATE:20260705
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def test_a_calendar_gives_its_events(do: Do) -> None:
    output = do("READ_CALENDAR", source=given("invite.ics", INVITATION.encode()))
    lunch, holiday = output["events"]
    assert output["count"] == 2
    assert (lunch["summary"], lunch["start"], lunch["end"], lunch["allDay"]) == (
        "Lunch, and more", "2026-07-04T10:00:00.000Z", "2026-07-04T11:30:00.000Z", False,
    )  # fmt: skip
    assert (lunch["organizer"], lunch["attendees"]) == ("ada@x.test", ["bob@x.test", "cyd@x.test"])
    assert lunch["recurrence"] == "FREQ=WEEKLY;COUNT=3"
    assert (holiday["start"], holiday["end"], holiday["allDay"]) == ("2026-07-05", "2026-07-06", True)


def test_a_calendar_is_written_and_read_again(do: Do, files: KeptFiles) -> None:
    events = [
        {
            "summary": "Stand-up, daily",
            "start": "2026-07-04T09:00",
            "attendees": ["bob@x.test"],
            "organizer": "a@x.test",
        },
        {"summary": "Fair", "start": "2026-07-05", "end": "2026-07-08", "uid": "fair", "url": "http://x.test/"},
    ]
    file = do("WRITE_CALENDAR", events=events, zone="Europe/Berlin", method="REQUEST")["file"]
    assert file["type"] == "text/calendar; charset=utf-8; method=REQUEST"
    stand_up, fair = do("READ_CALENDAR", source=file)["events"]
    assert (stand_up["start"], stand_up["end"]) == ("2026-07-04T07:00:00.000Z", "2026-07-04T08:00:00.000Z")
    assert (stand_up["summary"], stand_up["attendees"]) == ("Stand-up, daily", ["bob@x.test"])
    assert (fair["uid"], fair["start"], fair["end"], fair["url"]) == (
        "fair",
        "2026-07-05",
        "2026-07-08",
        "http://x.test/",
    )
    again = do("WRITE_CALENDAR", events=events, zone="Europe/Berlin")["file"]
    assert do("READ_CALENDAR", source=again)["events"][0]["uid"] == stand_up["uid"], "the same event has the same id"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"events": []}, "events: is empty"),
        ({"events": [{"summary": "x", "start": "soon"}]}, "start: must be a day or a time"),
        (
            {"events": [{"summary": "x", "start": "2026-07-04", "end": "2026-07-04T10:00"}]},
            "both are days, or both are",
        ),
        ({"events": [{"summary": "x", "start": "2026-07-04"}], "zone": "Mars"}, "zone: there is no time zone"),
    ],
)
def test_events_that_cannot_be_are_told(do: Do, config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do("WRITE_CALENDAR", **config)
    assert told in str(caught.value)


def pdf(*pages: str, password: str = "") -> bytes:
    writer = PdfWriter()
    font = DictionaryObject({
        NameObject("/Type"): NameObject("/Font"),
        NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica"),
    })  # fmt: skip
    for text in pages:
        page = writer.add_blank_page(300, 300)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(font)})}
        )
    writer.add_metadata({"/Title": "Bill 7"})
    if password:
        writer.encrypt(password, algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_pdf_gives_its_text_by_pages(do: Do) -> None:
    output = do("READ_PDF", file=given("bill.pdf", pdf("Total 12.50", "Thank you")))
    assert output["pages"] == ["Total 12.50", "Thank you"]
    assert (output["text"], output["count"], output["title"]) == ("Total 12.50\n\nThank you", 2, "Bill 7")
    assert do("READ_PDF", file=given("b.pdf", pdf("1", "2", "3")), first=2, last=2)["pages"] == ["2"]


def test_a_protected_pdf_needs_its_password(do: Do) -> None:
    file = given("bill.pdf", pdf("Total 12.50", password="open me"))
    assert do("READ_PDF", file=file, password="open me")["text"] == "Total 12.50"
    for password, told in (("", "it needs a password"), ("other", "it needs another password")):
        with pytest.raises(ConnectorError, match=told):
            do("READ_PDF", file=file, password=password)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_unpacked(do: Do, files: KeptFiles) -> None:
    packed = given("a.zip", archive({"a.csv": b"1", "in/b.txt": b"2", "../../etc/c.csv": b"3", "empty/": b""}))
    output = do("UNZIP", file=packed)
    assert output["paths"] == ["a.csv", "in/b.txt", "../../etc/c.csv"]
    assert [file["name"] for file in output["files"]] == ["a.csv", "b.txt", "c.csv"]
    assert [content_of(files, file) for file in output["files"]] == [b"1", b"2", b"3"]
    assert do("UNZIP", file=packed, only="*.csv")["count"] == 2


def test_files_are_packed(do: Do, files: KeptFiles) -> None:
    several = [given("a.txt", b"1"), given("a.txt", b"2"), given("b.bin", b"\x00" * 100_000)]
    packed = do("ZIP", files=several, name="all.zip")["file"]
    with zipfile.ZipFile(io.BytesIO(content_of(files, packed))) as read:
        assert read.namelist() == ["a.txt", "a (2).txt", "b.bin"]
        assert read.read("a (2).txt") == b"2"
    assert do("UNZIP", file=packed)["count"] == 3
    assert do("ZIP", files=several, name="all.zip")["file"]["sha256"] == packed["sha256"]


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "mail": {"pattern": "@"}, "lines": {"items": {"$ref": "#/$defs/line"}}},
    "$defs": {"line": {"required": ["n"]}},
}


def test_data_is_checked_against_a_schema(do: Do) -> None:
    assert do("CHECK_JSON", value={"id": 1, "mail": "a@b", "lines": [{"n": 1}]}, schema=SCHEMA) == {
        "valid": True, "errors": [],
    }  # fmt: skip
    wrong = {"id": "x", "lines": [{"n": 1}, {}]}
    output = do("CHECK_JSON", value=wrong, schema=SCHEMA, otherwise="continue")
    assert not output["valid"]
    assert [error["path"] for error in output["errors"]] == ["/id", "/lines/1"]
    with pytest.raises(ConnectorError, match=r"the value does not fit the schema: at /id, /lines/1"):
        do("CHECK_JSON", value=wrong, schema=SCHEMA)


@pytest.mark.parametrize(
    ("type_", "config", "told"),
    [
        ("READ_CALENDAR", {"source": "no calendar"}, "it is no calendar (iCalendar): BEGIN:VCALENDAR is missing"),
        ("READ_CALENDAR", {"source": ""}, "it is no calendar (iCalendar)"),
        ("READ_CALENDAR", {"source": INVITATION.partition("END:")[0]}, "not complete: END:VCALENDAR is missing"),
        (
            "READ_CALENDAR",
            {"source": "BEGIN:VCALENDAR\nnonsense\nEND:VCALENDAR"},
            "line 2 is not a calendar's: nonsense",
        ),
        ("READ_CALENDAR", {"source": "BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR"}, "BEGIN and END do not match"),
        (
            "READ_CALENDAR",
            {"source": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Tea\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR"},
            "the work on the calendar cannot be done: its event 1 (Tea) has a wrong start or end",
        ),
        ("READ_PDF", {"file": given("a.pdf", b"<html>no document</html>")}, "cannot be done: it is no PDF"),
        ("READ_PDF", {"file": given("a.pdf", b"%PDF-1.7 and no more")}, "it is a PDF that is damaged, or not complete"),
        ("READ_PDF", {"file": given("a.pdf", pdf("x")[:-200])}, "it is a PDF that is damaged, or not complete"),
        ("UNZIP", {"file": given("a.zip", b"PK and no more")}, "it is no ZIP archive, or not complete"),
        (
            "UNZIP",
            {"file": given("a.zip", archive({"a.txt": b"0123456789"}).replace(b"a.txt3", b"a.txt\xff", 1))},
            "'a.txt' in it is damaged",
        ),
        ("UNZIP", {"file": given("a.zip", archive({f"{n}": b"" for n in range(1_001)}))}, "it holds 1,001 files"),
        ("CHECK_JSON", {"value": 1, "schema": {"type": "nope"}}, "the schema is wrong at /type"),
        (
            "CHECK_JSON",
            {"value": 1, "schema": {"$ref": "http://127.0.0.1:1/s"}},
            "a schema may refer to its own parts only",
        ),
        ("CHECK_JSON", {"value": 1, "schema": {"$ref": "#/$defs/none"}}, "Pointer '/$defs/none' does not exist"),
    ],
)
def test_broken_and_hostile_documents_end_in_a_clear_error(do: Do, type_: str, config: Any, told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do(type_, **config)
    assert told in str(caught.value)
    assert caught.value.permanent


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(do: Do) -> None:
    bomb = archive({f"{number}": b"\0" * 50_000_000 for number in range(5)})
    with pytest.raises(ConnectorError, match="it unpacks to more than 200,000,000 bytes"):
        do("UNZIP", file=given("a.zip", bomb))


def test_neither_patterns_nor_circles_take_for_ever(do: Do) -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}, "b": {"$ref": "#/properties/b"}}}
    output = do("CHECK_JSON", value={"a": "a" * 10_000 + "b", "b": 1}, schema=schema, otherwise="continue")
    assert [error["path"] for error in output["errors"]] == ["/a"]
