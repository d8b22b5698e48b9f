"""OUTLOOK_EVENT: put an event into the calendar.

https://learn.microsoft.com/graph/api/user-post-events
"""

from __future__ import annotations

from flowforge.connectors.actions.outlook import OUTLOOK, recipients
from flowforge.connectors.sdk import Calls, MailAddresses, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    subject: str = field(title="Title", min_length=1)
    begin: str = field(title="Begin", description="2026-03-01T08:00:00", min_length=1)
    end: str = field(title="End", min_length=1)
    time_zone: str = field("UTC", title="Time zone", description="Europe/Vienna", min_length=1)
    content: str = field("", multiline=True, title="Description")
    location: str = field("", title="Place")
    guests: MailAddresses = field((), title="Guests")


@OUTLOOK.action(
    "OUTLOOK_EVENT",
    Config,
    title="create an event",
    help="Puts an event into the calendar.",
    summary=first_of("subject"),
)
async def create_event(config: Config, outlook: Calls) -> JsonObject:
    event = {
        "subject": config.subject,
        "start": {"dateTime": config.begin, "timeZone": config.time_zone},
        "end": {"dateTime": config.end, "timeZone": config.time_zone},
        "body": {"contentType": "Text", "content": config.content},
        "location": {"displayName": config.location} if config.location else None,
        "attendees": [{**guest, "type": "required"} for guest in recipients(config.guests)],
        "transactionId": outlook.context.idempotency_key,
    }
    return await outlook.post("/me/events", json=event)
