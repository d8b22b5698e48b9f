"""Reading a mailbox on from where it was left: every mail leads to one event, whatever its seen flag.

How far it was read moves in the transaction that accepts the events (flowforge.triggers.mailboxes.position).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from flowforge import jsonio
from flowforge.connectors.mail_transport.mailbox import Header, OpenFolder
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import TriggerEventRow
from flowforge.engine import intake
from flowforge.file_values import stored_ids
from flowforge.ids import uuid7
from flowforge.triggers.mailboxes import mail
from flowforge.triggers.mailboxes.kept_attachments import KeptAttachments
from flowforge.triggers.mailboxes.mailbox import EMAIL, Mailbox
from flowforge.triggers.mailboxes.position import NEVER_OPENED, Position, find, move
from flowforge.triggers.polling.firing import note_fired
from flowforge.triggers.polling.poll import Overtaken, Poll

_CLOCKS_DIFFER = timedelta(hours=1)

log = logging.getLogger(__name__)


def read_new(poll: Poll, mailbox: Mailbox) -> bool:
    """Accept what came since the last look; True if the deadline left something for the next poll.

    Raises Overtaken, Unavailable, and ConnectorError for what the server answers.
    """
    position = find(poll.backends.engine, poll.trigger, mailbox)
    with poll.backends.tools.mail.open_folder(mailbox.account, mailbox.folder, poll.access.deadline) as folder:
        return _read_on(poll, mailbox, folder, position)


def _read_on(poll: Poll, mailbox: Mailbox, folder: OpenFolder, position: Position) -> bool:
    reader, at_once = _Reader(poll, mailbox, folder, position), poll.limits.headers_at_once
    uids = reader.candidates()
    for start in range(0, len(uids), at_once):
        if time.monotonic() >= poll.deadline:
            return True
        if not reader.take(uids[start : start + at_once], poll.deadline):
            return True
    reader.pass_backlog()
    return False


class _Reader:
    """One poll of one mailbox."""

    def __init__(self, poll: Poll, mailbox: Mailbox, folder: OpenFolder, position: Position) -> None:
        self._backends = poll.backends
        self._bytes_at_once = poll.limits.bytes_at_once
        self._trigger = poll.trigger
        self._mailbox = mailbox
        self._folder = folder
        self._position = position
        if position.uid_validity != folder.uid_validity:
            self._take_stock()

    def candidates(self) -> list[int]:
        """The uids to look at, oldest first."""
        position, first = self._position, self._position.last_uid + 1
        uids: list[int] = []
        if first <= position.backlog_uid:
            uids += (
                self._folder.unseen(first, position.backlog_uid)
                if position.backlog_since is None
                else self._folder.since(first, position.backlog_uid, position.backlog_since)
            )
        return uids + self._folder.from_uid(max(first, position.backlog_uid + 1))

    def take(self, uids: Sequence[int], deadline: float) -> bool:
        """Accept those of `uids` that count, in transactions of bounded size; False if time ran out before the end."""
        headers = self._folder.headers(uids)
        accepted = self._accepted_message_ids(headers)
        events: list[intake.NewEvent] = []
        size = 0
        for header in headers:
            event = self._event(header, accepted)
            if event is not None:
                events.append(event)
                size += header.size
            if size >= self._bytes_at_once or time.monotonic() >= deadline:
                self._accept(events, header.uid)
                events, size = [], 0
                if time.monotonic() >= deadline:
                    return header.uid == headers[-1].uid
        self._accept(events, uids[-1])
        return True

    def pass_backlog(self) -> None:
        """Skip the rest of the backlog: those mails start nothing."""
        if self._position.last_uid < self._position.backlog_uid:
            self._accept([], self._position.backlog_uid)

    def _take_stock(self) -> None:
        """Store the mails that are there as the backlog: at the first look, and when the server has numbered its mails
        anew."""
        since = self._position.backlog_since
        if self._position.uid_validity != NEVER_OPENED:
            log.info("The mailbox of trigger %s has a new UIDVALIDITY", self._trigger.id)
            # What arrived before the last look is done with; message ids tell which of the rest were accepted.
            since = (self._trigger.last_success_at or self._trigger.created_at) - _CLOCKS_DIFFER
        backlog = Position(
            uid_validity=self._folder.uid_validity,
            last_uid=0,
            source=self._position.source,
            backlog_uid=self._folder.highest_uid,
            backlog_since=since,
        )
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            move(connection, self._trigger.id, self._position, backlog)
        self._position = backlog

    def _event(self, header: Header, accepted_ids: set[str]) -> intake.NewEvent | None:
        head = mail.envelope(header.raw)
        if not self._is_due(header) or not self._mailbox.accepts(head.subject, head.sender):
            return None
        if head.message_id and head.message_id in accepted_ids:
            return None
        received = self._folder.mail(header)
        if received is None:
            return None
        event_id = uuid7()
        attachments = KeptAttachments(self._backends.files, self._trigger.user_id, event_id)
        return intake.NewEvent(
            event_id=event_id,
            trigger_id=self._trigger.id,
            workflow_id=self._trigger.workflow_id,
            user_id=self._trigger.user_id,
            trigger_type=EMAIL,
            payload=mail.payload(received, attachments.keep),
            metadata={
                "source": EMAIL,
                "messageId": head.message_id,
                "receivedAt": jsonio.format_time(datetime.now(UTC)),
            },
            idempotency_key=f"mail {self._position.uid_validity} {header.uid} {self._position.source}",
        )

    def _is_due(self, header: Header) -> bool:
        since = self._position.backlog_since
        return header.uid > self._position.backlog_uid or since is None or header.received_at >= since

    def _accepted_message_ids(self, headers: Sequence[Header]) -> set[str]:
        """Find the message ids of mails in the backlog that were already accepted under another uid."""
        ids = [mail.envelope(header.raw).message_id for header in headers if header.uid <= self._position.backlog_uid]
        ids = [message_id for message_id in ids if message_id]
        if not ids:
            return set()
        message_id = TriggerEventRow.metadata_["messageId"].astext
        query = select(message_id).where(
            TriggerEventRow.trigger_id == self._trigger.id,
            TriggerEventRow.idempotency_key.is_not(None),  # lets the partial index help
            TriggerEventRow.idempotency_key.not_like(f"mail {self._position.uid_validity} %"),
            message_id.in_(ids),
        )
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            return set(connection.scalars(query))

    def _accept(self, events: Sequence[intake.NewEvent], last_uid: int) -> None:
        position = replace(self._position, last_uid=last_uid)
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                move(connection, self._trigger.id, self._position, position)
                accepted = intake.record(connection, events)
                if accepted:
                    note_fired(connection, self._trigger)
        except Overtaken:
            self._discard_files(events)
            raise
        self._position = position
        self._discard_files([event for event in events if event not in accepted])
        if accepted:
            limit = self._backends.settings.payload_inline_limit
            intake.announce(self._backends.bus, accepted, inline_limit=limit)

    def _discard_files(self, events: Sequence[intake.NewEvent]) -> None:
        """Those of mails that became no event; what is left of them after a failure is found by pruning."""
        for event in events:
            if stored_ids(event.payload):
                self._backends.files.discard(event.event_id)
