"""Reading a mailbox on from where it was left: every mail leads to one event, whatever its seen flag.

How far it was read is a row of trigger_service.mailbox_states. It moves in the transaction that accepts the events, by
compare-and-set: a poll that overlaps another, or comes too late, changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from flowforge import jsonio, mail
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import MailboxState, TriggerEventRow, TriggerRegistration
from flowforge.mailbox import Mailbox, StartWith
from flowforge.operations import intake
from flowforge.wiring import Backends
from workers.imap import Header, Session

HEADERS_AT_ONCE = 50
BYTES_AT_ONCE = 8 * 1024 * 1024
_CLOCKS_DIFFER = timedelta(hours=1)

log = logging.getLogger(__name__)


class Overtaken(Exception):
    """Another poll of this mailbox was faster, or the trigger was changed meanwhile."""


@dataclass(frozen=True, slots=True)
class MailTrigger:
    """An enabled email trigger, as it was when the poll began."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    configuration: Any
    created_at: datetime
    updated_at: datetime
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A row of mailbox_states (flowforge.db.tables says what the fields mean)."""

    uid_validity: int
    last_uid: int
    source: str
    backlog_uid: int
    backlog_since: datetime | None


def read_on(backends: Backends, trigger: MailTrigger, mailbox: Mailbox, session: Session, deadline: float) -> bool:
    """Accept what came since the last look; True if the deadline (monotonic) left something for the next poll.

    Raises Overtaken, Unavailable, and workers.imap's MailboxTrouble.
    """
    reader = _Reader(backends, trigger, mailbox, session)
    uids = reader.candidates()
    for start in range(0, len(uids), HEADERS_AT_ONCE):
        if time.monotonic() >= deadline:
            return True
        if not reader.take(uids[start : start + HEADERS_AT_ONCE], deadline):
            return True
    reader.pass_backlog()
    return False


class _Reader:
    """One poll of one mailbox."""

    def __init__(self, backends: Backends, trigger: MailTrigger, mailbox: Mailbox, session: Session) -> None:
        self._backends = backends
        self._trigger = trigger
        self._mailbox = mailbox
        self._session = session
        self._place = self._resume()

    def candidates(self) -> list[int]:
        """The uids to look at, oldest first."""
        place, first = self._place, self._place.last_uid + 1
        uids: list[int] = []
        if first <= place.backlog_uid:
            uids += (
                self._session.unseen(first, place.backlog_uid)
                if place.backlog_since is None
                else self._session.since(first, place.backlog_uid, place.backlog_since)
            )
        return uids + self._session.from_uid(max(first, place.backlog_uid + 1))

    def take(self, uids: Sequence[int], deadline: float) -> bool:
        """Accept those of `uids` that count, in transactions of bounded size; False if time ran out before the end."""
        headers = self._session.headers(uids)
        known = self._known_message_ids(headers)
        events: list[intake.NewEvent] = []
        size = 0
        for header in headers:
            event = self._event(header, known)
            if event is not None:
                events.append(event)
                size += header.size
            if size >= BYTES_AT_ONCE or time.monotonic() >= deadline:
                self._accept(events, header.uid)
                events, size = [], 0
                if time.monotonic() >= deadline:
                    return header.uid == headers[-1].uid
        self._accept(events, uids[-1])
        return True

    def pass_backlog(self) -> None:
        """What is left of the backlog does not count."""
        if self._place.last_uid < self._place.backlog_uid:
            self._accept([], self._place.backlog_uid)

    def _resume(self) -> Place:
        """Where the last poll stopped, or the beginning: at the first look, in another folder, after renumbering."""
        known = self._load()
        if known and (known.source, known.uid_validity) == (self._mailbox.source, self._session.uid_validity):
            return known
        begin = Place(
            uid_validity=self._session.uid_validity,
            last_uid=0,
            source=self._mailbox.source,
            backlog_uid=self._session.highest_uid,
            backlog_since=self._backlog_since(known),
        )
        self._begin(known, begin)
        return begin

    def _backlog_since(self, known: Place | None) -> datetime | None:
        if known and known.source == self._mailbox.source:
            # The server has numbered its mails anew. What arrived before the last look is done with.
            log.info("Mailbox of trigger %s has a new UIDVALIDITY", self._trigger.id)
            return (self._trigger.last_success_at or self._trigger.created_at) - _CLOCKS_DIFFER
        if self._mailbox.start_with is StartWith.UNSEEN:
            return None
        since = self._trigger.updated_at if known else self._trigger.created_at
        return since.replace(microsecond=0)  # the server's dates have whole seconds

    def _event(self, header: Header, known_message_ids: set[str]) -> intake.NewEvent | None:
        head = mail.envelope(header.raw)
        if not self._is_due(header) or not self._mailbox.accepts(head.subject, head.sender):
            return None
        if head.message_id and head.message_id in known_message_ids:
            return None
        received = self._session.mail(header)
        if received is None:
            return None
        return intake.NewEvent(
            trigger_id=self._trigger.id,
            workflow_id=self._trigger.workflow_id,
            user_id=self._trigger.user_id,
            trigger_type="email",
            payload=mail.payload(received),
            metadata={
                "source": "email",
                "messageId": head.message_id,
                "receivedAt": jsonio.format_time(datetime.now(UTC)),
            },
            idempotency_key=f"mail {self._place.uid_validity} {header.uid} {self._place.source}",
        )

    def _is_due(self, header: Header) -> bool:
        since = self._place.backlog_since
        return header.uid > self._place.backlog_uid or since is None or header.received_at >= since

    def _known_message_ids(self, headers: Sequence[Header]) -> set[str]:
        """Of mails in the backlog, those already accepted under another uid."""
        ids = [mail.envelope(header.raw).message_id for header in headers if header.uid <= self._place.backlog_uid]
        ids = [message_id for message_id in ids if message_id]
        if not ids:
            return set()
        message_id = TriggerEventRow.metadata_["messageId"].astext
        query = select(message_id).where(
            TriggerEventRow.trigger_id == self._trigger.id,
            TriggerEventRow.idempotency_key.is_not(None),  # lets the partial index help
            TriggerEventRow.idempotency_key.not_like(f"mail {self._place.uid_validity} %"),
            message_id.in_(ids),
        )
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            return set(connection.scalars(query))

    def _load(self) -> Place | None:
        state = MailboxState
        query = select(state.uid_validity, state.last_uid, state.source, state.backlog_uid, state.backlog_since).where(
            state.trigger_id == self._trigger.id
        )
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return Place(**row._mapping) if row else None

    def _begin(self, known: Place | None, begin: Place) -> None:
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            if known:
                self._move(connection, known, begin)
                return
            row = insert(MailboxState).values(trigger_id=self._trigger.id, **asdict(begin)).on_conflict_do_nothing()
            if not connection.execute(row).rowcount:
                raise Overtaken

    def _accept(self, events: Sequence[intake.NewEvent], last_uid: int) -> None:
        place = replace(self._place, last_uid=last_uid)
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            self._move(connection, self._place, place)
            accepted = intake.record(connection, events)
            if accepted:
                self._touch(connection)
        self._place = place
        if accepted:
            limit = self._backends.settings.payload_inline_limit
            intake.announce(self._backends.bus, accepted, inline_limit=limit)

    def _move(self, connection: Connection, known: Place, place: Place) -> None:
        state = MailboxState
        moved = connection.execute(
            update(state)
            .where(
                state.trigger_id == self._trigger.id,
                state.uid_validity == known.uid_validity,
                state.last_uid == known.last_uid,
                state.source == known.source,
            )
            .values(**asdict(place))
        )
        if not moved.rowcount:
            raise Overtaken

    def _touch(self, connection: Connection) -> None:
        trigger = TriggerRegistration
        connection.execute(
            update(trigger)
            .where(trigger.id == self._trigger.id)
            .values(last_triggered_at=datetime.now(UTC), updated_at=trigger.updated_at)
        )
