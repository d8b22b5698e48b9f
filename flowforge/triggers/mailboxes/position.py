"""Positions up to which mailboxes have been read: the rows of trigger_service.mailbox_states.

They change by compare-and-set only, so that of two polls that overlap one wins and the other changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import MailboxState
from flowforge.triggers.mailboxes.mailbox import Mailbox, StartWith
from flowforge.triggers.polling.poll import Overtaken, PolledTrigger

NEVER_OPENED = 0
"""The uid_validity of a mailbox no poll has been able to open yet; servers number from 1."""


@dataclass(frozen=True, slots=True)
class Position:
    """A row (flowforge.db.tables says what the fields mean)."""

    uid_validity: int
    last_uid: int
    source: str
    backlog_uid: int
    backlog_since: datetime | None


def find(engine: Engine, trigger: PolledTrigger, mailbox: Mailbox) -> Position:
    """Find the position where the last poll stopped. The first poll of a mailbox stores one, with the time since when
    mail counts.

    It does so before the mailbox is opened: mail that arrives while that fails is not lost. Raises Overtaken.
    """
    with unavailable_when_down(), engine.begin() as connection:
        stored = _load(connection, trigger.id)
        if stored is not None and stored.source == mailbox.source:
            return stored
        begin = Position(NEVER_OPENED, 0, mailbox.source, 0, _counts_since(trigger, mailbox))
        if stored is None:
            _insert(connection, trigger.id, begin)
        else:
            move(connection, trigger.id, stored, begin)
    return begin


def move(connection: Connection, trigger_id: UUID, expected: Position, position: Position) -> None:
    """Raises Overtaken where the row is not as expected."""
    state = MailboxState
    moved = connection.execute(
        update(state)
        .where(
            state.trigger_id == trigger_id,
            state.uid_validity == expected.uid_validity,
            state.last_uid == expected.last_uid,
            state.source == expected.source,
        )
        .values(**asdict(position))
    )
    if not moved.rowcount:
        raise Overtaken


def _counts_since(trigger: PolledTrigger, mailbox: Mailbox) -> datetime | None:
    """Since its owner made the trigger, switched it on, or pointed it to this mailbox. None: all unseen mail counts."""
    if mailbox.start_with is StartWith.UNSEEN:
        return None
    return trigger.updated_at.replace(microsecond=0)  # the server's dates have whole seconds


def _load(connection: Connection, trigger_id: UUID) -> Position | None:
    state = MailboxState
    query = select(state.uid_validity, state.last_uid, state.source, state.backlog_uid, state.backlog_since).where(
        state.trigger_id == trigger_id
    )
    row = connection.execute(query).one_or_none()
    return Position(**row._mapping) if row else None


def _insert(connection: Connection, trigger_id: UUID, position: Position) -> None:
    row = insert(MailboxState).values(trigger_id=trigger_id, **asdict(position)).on_conflict_do_nothing()
    if not connection.execute(row).rowcount:
        raise Overtaken
