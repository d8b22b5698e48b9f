"""WRITE_CALENDAR: a calendar file (RFC 5545) with events."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import NAMESPACE_URL, uuid5

from pydantic import AfterValidator, ConfigDict, model_validator

from flowforge import time_zones
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence


class Event(ConnectorConfig):
    model_config = ConfigDict(title="Event")

    summary: str = field(title="Title")
    start: str = field(title="Start", description="2026-03-04T10:00, or a day: 2026-03-04.")
    end: str = field("", title="End", description="Empty: an hour later, or the end of the day.")
    location: str = field("", title="Place")
    description: str = field("", title="Description", multiline=True)
    organizer: str = field("", title="Organizer", description="A mail address.")
    attendees: list[str] = field([], title="Attendees", description="Mail addresses.", max_length=1_000)
    url: str = field("", title="Link")
    uid: str = field("", title="Id", description="The same one changes an event. Empty: made of title and start.")

    @model_validator(mode="after")
    def _times(self) -> Self:
        for name, written in (("start", self.start), ("end", self.end)):
            if written:
                _read(name, written)
        if self.end and _is_day(self.start) != _is_day(self.end):
            raise ValueError(sentence("start and end: both are days, or both are times"))
        return self


class Config(ConnectorConfig):
    events: list[Event] = field(title="Events", min_length=1, max_length=10_000)
    zone: Annotated[str, AfterValidator(time_zones.checked_zone)] = field(
        "UTC", title="Time zone", description="Of times that name none, such as Europe/Berlin."
    )
    method: Literal["PUBLISH", "REQUEST", "CANCEL"] = field(
        "PUBLISH",
        title="For",
        labels={"PUBLISH": "anybody's calendar", "REQUEST": "an invitation", "CANCEL": "a cancellation"},
    )
    name: str = field("events.ics", title="File name", max_length=200)


@connector(
    "WRITE_CALENDAR",
    Config,
    title="Write a calendar file",
    help="Makes an iCalendar file, such as an invitation to attach to a mail.",
    icon="clock",
    keywords=("ical", "ics", "icalendar", "events", "invitation", "meeting"),
    summary=first_of("name"),
    repeatable=True,
)
def write_calendar(config: Config, context: StepContext) -> JsonObject:
    from icalendar import Calendar

    calendar = Calendar()
    for name, value in (("prodid", "-//FlowForge//EN"), ("version", "2.0"), ("method", config.method)):
        calendar.add(name, value)
    for event in config.events:
        calendar.add_component(_component(event, config))
    type_ = f"text/calendar; charset=utf-8; method={config.method}"
    return {"file": context.files.keep(io.BytesIO(calendar.to_ical()), config.name, type_).as_json()}


def _component(event: Event, config: Config) -> Any:
    from icalendar import Event as Component

    component, start = Component(), _moment(event.start, config)
    fields = {
        "uid": event.uid or str(uuid5(NAMESPACE_URL, f"{event.summary}\n{event.start}")),
        "dtstamp": datetime.now(UTC),
        "dtstart": start,
        "dtend": _moment(event.end, config) if event.end else _default_end(start),
        "summary": event.summary,
        "location": event.location,
        "description": event.description,
        "url": event.url,
        "status": "CANCELLED" if config.method == "CANCEL" else "",
        "organizer": f"mailto:{event.organizer}" if event.organizer else "",
    }
    for name, value in fields.items():
        if value:
            component.add(name, value)
    for address in event.attendees:
        component.add("attendee", f"mailto:{address}")
    return component


def _is_day(written: str) -> bool:
    return len(written.strip()) == len("2026-03-04")


def _read(name: str, written: str) -> datetime:
    try:
        return datetime.fromisoformat(written.strip())
    except ValueError as error:
        raise ValueError(sentence("%(name)s: must be a day or a time, such as 2026-03-04T10:00", name=name)) from error


def _moment(written: str, config: Config) -> date:
    read = _read("time", written)
    if _is_day(written):
        return read.date()
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=time_zones.zone(config.zone)).astimezone(UTC)


def _default_end(start: date) -> date:
    return start + (timedelta(hours=1) if isinstance(start, datetime) else timedelta(days=1))
