"""Reads the events of a calendar (RFC 5545)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from icalendar import Calendar

from flowforge.connectors.programs import limits

_LINE = re.compile(rb"[A-Za-z0-9-]+[;:]|[ \t]|$")
"""How lines begin; one that goes on with the line before it does so with a space (RFC 5545, section 3.1)."""
_TEXTS = ("summary", "description", "location", "status", "url")


def work(request: dict[str, Any]) -> None:
    limits.answer_each(_events(Path(request["path"]).read_bytes()))


def _events(data: bytes) -> Iterator[dict[str, Any]]:
    events = (event for calendar in _calendars(data) for event in calendar.walk("VEVENT"))
    for number, event in enumerate(events, 1):
        with limits.told_as(
            f"its event {number} ({event.get('summary', 'without a summary')}) has a wrong start or end"
        ):
            read = _event(event)
        yield read


def _calendars(data: bytes) -> list[Any]:
    _require_lines(data)
    with limits.told_as("its parts do not end where they should: BEGIN and END do not match"):
        calendars = Calendar.from_ical(data, multiple=True)
    if not calendars:
        raise ValueError("it is not complete: END:VCALENDAR is missing")
    return calendars


def _require_lines(data: bytes) -> None:
    if b"BEGIN:VCALENDAR" not in data.upper():
        raise ValueError("it is no calendar (iCalendar): BEGIN:VCALENDAR is missing")
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        if not _LINE.match(line):
            raise ValueError(f"line {number} is not a calendar's: {line[:60].decode(errors='replace')}")


def _event(event: Any) -> dict[str, Any]:
    start = event.decoded("dtstart", None)
    return {
        "uid": _text(event.get("uid")),
        **{name: _text(event.get(name)) for name in _TEXTS},
        "start": _time(start),
        "end": _time(event.end) if start is not None else None,
        "allDay": start is not None and not isinstance(start, datetime),
        "organizer": _mail(event.get("organizer")),
        "attendees": [_mail(each) for each in _several(event.get("attendee"))],
        "recurrence": event["rrule"].to_ical().decode() if "rrule" in event else None,
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _mail(value: Any) -> str | None:
    return None if value is None else str(value).removeprefix("mailto:").removeprefix("MAILTO:")


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _time(value: Any) -> str | None:
    """A day as `2026-03-04`; a time in UTC, as it is written where it belongs to no zone."""
    if isinstance(value, datetime):
        aware = value.astimezone(UTC) if value.tzinfo else value
        return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else None


if __name__ == "__main__":
    limits.run(work)
