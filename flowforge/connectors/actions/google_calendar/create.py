"""CALENDAR_CREATE: put an event into a calendar.

https://developers.google.com/workspace/calendar/api/v3/reference/events/insert
"""

from __future__ import annotations

from flowforge.connectors.actions.google_calendar import CALENDAR, EventFields, event_fields
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


class Config(EventFields):
    title: str = field(title="Title", min_length=1)
    begin: str = field(title="Begin", description="A time with its zone, or a date for the whole day.", min_length=1)
    end: str = field(title="End", description="The day after the last one for whole days.", min_length=1)


@CALENDAR.action(
    "CALENDAR_CREATE", Config, title="create an event", help="Puts an event into a calendar.", summary=first_of("title")
)
async def create(config: Config, calendar: Calls) -> JsonObject:
    event = {"summary": config.title, **event_fields(config)}
    return await calendar.post(
        "/calendars/{}/events", config.calendar_id, query={"sendUpdates": config.notify}, json=event
    )
