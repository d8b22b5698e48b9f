"""CALENDAR_FIND: the events of a time, each once.

https://developers.google.com/workspace/calendar/api/v3/reference/events/list
"""

from __future__ import annotations

from flowforge.connectors.actions.google_calendar import CALENDAR, CalendarConfig
from flowforge.connectors.sdk import Calls, Paging, Polls, field
from flowforge.jsonio import JsonObject

_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="pageToken", items="body.items")


class Config(CalendarConfig):
    begin: str = field("", title="From", description="A time: {{ now }}, 2026-03-01T08:00:00Z.")
    end: str = field("", title="Until")
    query: str = field("", title="Search", description="Words in title, place, guests.")
    limit: int = field(100, title="Maximum events", ge=1, le=10_000)


@CALENDAR.action(
    "CALENDAR_FIND",
    Config,
    title="find events",
    help="Gives the events of a time, each once, by their begin.",
    repeatable=True,
    polls=Polls(
        "New event in Google Calendar",
        "When an event is added to a calendar",
        items="items",
        item_id="id",
        sample={"id": "17", "summary": "Interview", "start": {"dateTime": "2026-01-05T08:30:00Z"}},
    ),
)
async def find(config: Config, calendar: Calls) -> JsonObject:
    query = {
        "timeMin": config.begin or None,
        "timeMax": config.end or None,
        "q": config.query or None,
        "singleEvents": True,
        "orderBy": "startTime",
        "maxResults": min(config.limit, 2500),
    }
    return await calendar.pages(_PAGES, "/calendars/{}/events", config.calendar_id, query=query, most=config.limit)
