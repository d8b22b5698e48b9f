"""CALENDAR_CHANGE: change what is given of an event.

https://developers.google.com/workspace/calendar/api/v3/reference/events/patch
"""

from __future__ import annotations

from flowforge.connectors.actions.google_calendar import CALENDAR, EventFields, event_fields
from flowforge.connectors.sdk import Calls, field
from flowforge.jsonio import JsonObject


class Config(EventFields):
    event_id: str = field(title="Event id", min_length=1)
    title: str | None = field(None, title="Title")


@CALENDAR.action(
    "CALENDAR_CHANGE",
    Config,
    title="change an event",
    help="Changes what is given, and leaves the rest.",
    repeatable=True,
)
async def change(config: Config, calendar: Calls) -> JsonObject:
    event = {"summary": config.title, **event_fields(config)}
    return await calendar.send(
        "PATCH",
        "/calendars/{}/events/{}",
        config.calendar_id,
        config.event_id,
        query={"sendUpdates": config.notify},
        json=event,
    )
