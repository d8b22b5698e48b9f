"""Triggers as people understand them: a schedule in plain words and its next times, a mailbox that is tried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cron_descriptor import CasingTypeEnum, Options, get_description
from cron_descriptor.Exception import FormatError
from sqlalchemy.orm import Session

from flowforge.connectors.network.addresses import AddressGuard
from flowforge.errors import Invalid
from flowforge.secrets import SecretUnreadable
from flowforge.settings import Settings
from flowforge.triggers.imap import MailboxTrouble, open_mailbox
from flowforge.triggers.mailbox import Mailbox, Server
from flowforge.triggers.registrations import Triggers, configuration_of
from flowforge.triggers.schedule import Cron, Schedule

TEST_SECONDS = 20.0
_SHOWN_TIMES = 5


def in_words(configuration: Mapping[str, Any]) -> str:
    """Of a schedule: `At 02:30, Monday through Friday (Europe/Berlin)`, `Every 5 minutes`. What nobody can read, is
    said as it is written."""
    try:
        schedule = Schedule.parse(configuration)
    except Invalid as error:
        return f"Not readable: {error}"
    if isinstance(schedule.pattern, Cron):
        return f"{_cron_in_words(schedule.pattern.expression)} ({schedule.pattern.zone.key})"
    return f"Every {_span(schedule.interval_minutes or 0)}"


def coming_times(configuration: Mapping[str, Any], now: datetime) -> list[datetime]:
    """When a schedule that begins now fires next, five times; none of one that cannot be read."""
    try:
        return Schedule.parse(configuration).upcoming(now, _SHOWN_TIMES, now)
    except Invalid:
        return []


@dataclass(frozen=True, slots=True)
class MailboxAnswer:
    """What came of trying: `problem` is None where it could be opened."""

    source: str
    problem: str | None = None


def try_mailbox(session: Session, triggers: Triggers, user_id: UUID, trigger_id: UUID) -> MailboxAnswer:
    """Signs in and opens the folder, for reading only. Ends the session's transaction first: the mail server may take
    its time. Raises NotFound, and Invalid for a trigger that is no mailbox."""
    row = triggers.get(session, user_id, trigger_id)
    if row.trigger_type.lower() != "email":
        raise Invalid.at("/triggerType", "only a mailbox can be tried out")
    configuration = configuration_of(row)
    session.rollback()
    try:
        return try_configuration(triggers.settings, triggers.opened(configuration))
    except SecretUnreadable as error:
        return MailboxAnswer("the mailbox", str(error))


def try_configuration(settings: Settings, configuration: Mapping[str, Any]) -> MailboxAnswer:
    """The same for a mailbox that is being written; its secrets are in clear."""
    default = Server(settings.email_imap_host, settings.email_imap_port, settings.email_imap_secure)
    try:
        mailbox = Mailbox.parse(configuration, default)
    except Invalid as error:
        return MailboxAnswer("the mailbox", str(error))
    try:
        with open_mailbox(mailbox, AddressGuard(settings.allowed_private_networks), TEST_SECONDS):
            return MailboxAnswer(mailbox.source)
    except MailboxTrouble as error:
        return MailboxAnswer(mailbox.source, str(error))


def _cron_in_words(expression: str) -> str:
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "en_US"
    options.casing_type = CasingTypeEnum.Sentence
    try:
        return str(get_description(expression, options))
    except (FormatError, ValueError, IndexError, KeyError):  # it knows less of cron than the schedule does
        return f"As the cron expression {expression} says"


def _span(minutes: float) -> str:
    for unit, name in ((24 * 60, "day"), (60, "hour")):
        if minutes >= unit and minutes % unit == 0:
            count = int(minutes // unit)
            return name if count == 1 else f"{count} {name}s"
    return "minute" if minutes == 1 else f"{minutes:g} minutes"
