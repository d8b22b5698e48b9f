"""READ_CALENDAR: the events of a calendar file (iCalendar)."""

from __future__ import annotations

from flowforge.connectors.sdk import (
    ConnectorConfig,
    Source,
    StepContext,
    child,
    connector,
    field,
    first_of,
    foreign_files,
    listing,
)
from flowforge.jsonio import JsonObject

_CALENDAR = child.Program("calendar_program", memory=768 * 1024 * 1024, work="the work on the calendar")


class Config(ConnectorConfig):
    source: Source = field(title="Calendar", description="An .ics file, or its text.")
    most_events: int = field(10_000, title="Maximum events", description="More rows are an error.", ge=1, le=100_000)


@connector(
    "READ_CALENDAR",
    Config,
    title="Read a calendar file",
    help="Gives the events of an iCalendar file, such as an invitation.",
    icon="clock",
    keywords=("ical", "ics", "icalendar", "events", "invitation", "meeting"),
    summary=first_of("source"),
    repeatable=True,
)
def read_calendar(config: Config, context: StepContext) -> JsonObject:
    content = context.files.content(config.source)
    with foreign_files.reading(_CALENDAR, content, context, {}) as events:
        return listing(events, config.most_events, "events")
