"""CALENDAR_DELETE: remove an event.

https://developers.google.com/workspace/calendar/api/v3/reference/events/delete
"""

from __future__ import annotations

from flowforge.connectors.actions.google_calendar import CALENDAR, CalendarConfig, Notify
from flowforge.connectors.sdk import Calls, field
from flowforge.jsonio import JsonObject


class Config(CalendarConfig):
    event_id: str = field(title="Event id", min_length=1)
    notify: Notify = field("none", title="Cancellations", description="Who gets mail about it.", group="Options")


@CALENDAR.action("CALENDAR_DELETE", Config, title="delete an event", help="Removes an event from a calendar.")
async def delete(config: Config, calendar: Calls) -> JsonObject:
    query = {"sendUpdates": config.notify}
    await calendar.send("DELETE", "/calendars/{}/events/{}", config.calendar_id, config.event_id, query=query)
    return {"deleted": config.event_id}
