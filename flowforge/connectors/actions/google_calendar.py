"""Google Calendar: find, create, change and delete events.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from __future__ import annotations

import re
from typing import Literal

from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Paging, Service, ServiceConfig, field, first_of, given
from flowforge.jsonio import JsonObject

CALENDAR = Service(
    "Google Calendar", "https://www.googleapis.com/calendar/v3", "clock", (OAUTH2, JWT), ("google", "event", "meeting")
)
_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="pageToken", items="body.items")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
Notify = Literal["none", "all", "externalOnly"]


class CalendarConfig(ServiceConfig):
    calendar_id: str = field("primary", title="Calendar id", min_length=1)


class Find(CalendarConfig):
    begin: str = field("", title="From", description="A time: {{ now }}, 2026-03-01T08:00:00Z.")
    end: str = field("", title="Until")
    query: str = field("", title="Search", description="Words in title, place, guests.")
    limit: int = field(100, title="Events at most", ge=1, le=10_000)


@CALENDAR.action(
    "CALENDAR_FIND",
    Find,
    title="find events",
    help="Gives the events of a time, each once, by their begin.",
    repeatable=True,
)
def find(config: Find, calendar: Calls) -> JsonObject:
    query = {
        "timeMin": config.begin or None,
        "timeMax": config.end or None,
        "q": config.query or None,
        "singleEvents": True,
        "orderBy": "startTime",
        "maxResults": min(config.limit, 2500),
    }
    return calendar.pages(_PAGES, "/calendars/{}/events", config.calendar_id, query=query, most=config.limit)


class EventFields(CalendarConfig):
    begin: str = field("", title="Begin", description="A time with its zone, or a date for the whole day.")
    end: str = field("", title="End", description="The day after the last one for whole days.")
    time_zone: str = field("", title="Time zone", description="For times that have none: Europe/Vienna.")
    description: str | None = field(None, multiline=True, title="Description")
    location: str | None = field(None, title="Place")
    guests: list[str] | None = field(None, title="Guests", description="Mail addresses.")
    notify: Notify = field("none", title="Invitations", description="Who gets mail about it.", group="Options")


class Create(EventFields):
    title: str = field(title="Title", min_length=1)
    begin: str = field(title="Begin", description="A time with its zone, or a date for the whole day.", min_length=1)
    end: str = field(title="End", description="The day after the last one for whole days.", min_length=1)


@CALENDAR.action(
    "CALENDAR_CREATE", Create, title="create an event", help="Puts an event into a calendar.", summary=first_of("title")
)
def create(config: Create, calendar: Calls) -> JsonObject:
    event = {"summary": config.title, **_fields(config)}
    return calendar.post("/calendars/{}/events", config.calendar_id, query={"sendUpdates": config.notify}, json=event)


class Change(EventFields):
    event_id: str = field(title="Event id", min_length=1)
    title: str | None = field(None, title="Title")


@CALENDAR.action(
    "CALENDAR_CHANGE",
    Change,
    title="change an event",
    help="Changes what is given, and leaves the rest.",
    repeatable=True,
)
def change(config: Change, calendar: Calls) -> JsonObject:
    event = {"summary": config.title, **_fields(config)}
    return calendar.send(
        "PATCH",
        "/calendars/{}/events/{}",
        config.calendar_id,
        config.event_id,
        query={"sendUpdates": config.notify},
        json=event,
    )


class Delete(CalendarConfig):
    event_id: str = field(title="Event id", min_length=1)
    notify: Notify = field("none", title="Cancellations", description="Who gets mail about it.", group="Options")


@CALENDAR.action("CALENDAR_DELETE", Delete, title="delete an event", help="Removes an event from a calendar.")
def delete(config: Delete, calendar: Calls) -> JsonObject:
    query = {"sendUpdates": config.notify}
    calendar.send("DELETE", "/calendars/{}/events/{}", config.calendar_id, config.event_id, query=query)
    return {"deleted": config.event_id}


def _fields(config: EventFields) -> JsonObject:
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
