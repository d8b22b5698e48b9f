"""Reads the events of a calendar (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from icalendar import Calendar

from flowforge.connectors.programs import limits

_TEXTS = ("summary", "description", "location", "status", "url")


def work(request: dict[str, Any]) -> None:
    limits.answer_each(_events(Path(request["path"]).read_bytes()))


def _events(data: bytes) -> Iterator[dict[str, Any]]:
    for calendar in Calendar.from_ical(data, multiple=True):
        for event in calendar.walk("VEVENT"):
            yield _event(event)


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
