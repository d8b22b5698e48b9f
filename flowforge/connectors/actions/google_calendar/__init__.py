"""Google Calendar: find, create, change and delete events."""

from __future__ import annotations

import re
from typing import Literal

from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Service, ServiceConfig, field, given
from flowforge.jsonio import JsonObject

CALENDAR = Service(
    "Google Calendar", "https://www.googleapis.com/calendar/v3", "clock", (OAUTH2, JWT), ("google", "event", "meeting")
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
Notify = Literal["none", "all", "externalOnly"]


class CalendarConfig(ServiceConfig):
    calendar_id: str = field("primary", title="Calendar id", min_length=1)


class EventFields(CalendarConfig):
    begin: str = field("", title="Begin", description="A time with its zone, or a date for the whole day.")
    end: str = field("", title="End", description="The day after the last one for whole days.")
    time_zone: str = field("", title="Time zone", description="For times that have none: Europe/Vienna.")
    description: str | None = field(None, multiline=True, title="Description")
    location: str | None = field(None, title="Place")
    guests: list[str] | None = field(None, title="Guests", description="Mail addresses.")
    notify: Notify = field("none", title="Invitations", description="Who gets mail about it.", group="Options")


def event_fields(config: EventFields) -> JsonObject:
    """The event as the API takes it, without its title."""
    return {
        "start": _moment(config.begin, config.time_zone),
        "end": _moment(config.end, config.time_zone),
        "description": config.description,
        "location": config.location,
        "attendees": None if config.guests is None else [{"email": guest} for guest in config.guests],
    }


def _moment(text: str, zone: str) -> JsonObject | None:
    if not text:
        return None
    if _DATE.fullmatch(text):
        return {"date": text}
    return given({"dateTime": text, "timeZone": zone or None})
