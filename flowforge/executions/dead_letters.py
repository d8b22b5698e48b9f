"""Dead letters: messages that could not be read, kept with the reason for people to look at, send again or discard.

A message that names its user is that user's; one that names nobody is shown to the administrators.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge import events, jsonio
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.bus import Delivery, EventBus, Message
from flowforge.db.tables import ADMINISTRATORS, DeadLetter, User
from flowforge.errors import Conflict, NotFound
from flowforge.ids import uuid7
from flowforge.sentences import sentence
from flowforge.views import view_of

PAGE_SIZE = 20
SHOWN_BYTES = 20_000
_REASON_LENGTH = 4000
_TOPICS = frozenset(events.MESSAGE_TYPES)


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    id: UUID
    topic: str
    consumer_group: str
    key: str
    reason: str
    value: str
    """The beginning of the message, as text."""
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    letters: Sequence[DeadLetterView]
    after: UUID | None
    """Give it to get the next page; None on the last one."""


def bury(connection: Connection, delivery: Delivery, group: str, reason: str) -> None:
    """Idempotent: a message that comes again is kept once. The caller owns the transaction."""
    statement = (
        insert(DeadLetter)
        .values(
            id=uuid7(),
            topic=delivery.topic,
            consumer_group=group,
            position=_place(delivery),
            key=jsonio.writable(delivery.key),
            value=delivery.value,
            reason=jsonio.writable(reason[:_REASON_LENGTH]),
            user_id=_named_user(delivery.value),
        )
        .on_conflict_do_nothing()
    )
    connection.execute(statement)


def _place(delivery: Delivery) -> str:
    """The position, with what stood there: a broker that was wiped gives its positions out anew."""
    return f"{delivery.position} {hashlib.sha256(delivery.value).hexdigest()[:16]}"


def page_of(session: Session, user_id: UUID, after: UUID | None = None, size: int = PAGE_SIZE) -> DeadLetterPage:
    """List dead letters, newest first. Raises NotFound for an `after` that is none of the user's."""
    wanted = select(DeadLetter).where(_visible_to(session, user_id))
    if after is not None:
        last = _get(session, user_id, after)
        wanted = wanted.where(tuple_(DeadLetter.created_at, DeadLetter.id) < (last.created_at, last.id))
    newest_first = wanted.order_by(DeadLetter.created_at.desc(), DeadLetter.id.desc()).limit(size + 1)
    found = session.scalars(newest_first).all()
    letters = [_view(row) for row in found[:size]]
    return DeadLetterPage(letters, letters[-1].id if len(found) > size else None)


def send_again(session: Session, bus: EventBus, user_id: UUID, letter_id: UUID) -> None:
    """Puts it back on its topic, and forgets it here: what is wrong with it still, comes back with its reason.
    Commits. Raises NotFound, Conflict, Unavailable (then it is kept)."""
    letter = _get(session, user_id, letter_id, lock=True)
    if letter.topic not in _TOPICS:
        raise Conflict(sentence("the topic %(topic)s is not one of ours any more", topic=letter.topic))
    bus.publish([Message(letter.topic, letter.key, letter.value)])
    record(session, Action.DEAD_LETTER_RETRIED, by=user_id, on=letter_id, topic=letter.topic)
    session.delete(letter)
    session.commit()


def discard(session: Session, user_id: UUID, letter_id: UUID) -> None:
    """Commits. Raises NotFound."""
    letter = _get(session, user_id, letter_id)
    record(session, Action.DEAD_LETTER_DISCARDED, by=user_id, on=letter_id, topic=letter.topic)
    session.execute(delete(DeadLetter).where(DeadLetter.id == letter.id))
    session.commit()


def _view(row: DeadLetter) -> DeadLetterView:
    return view_of(DeadLetterView, row, value=readable(row.value), size=len(row.value))


def readable(value: bytes) -> str:
    """Decode the beginning of a message; bytes that are no text are escaped as in Python."""
    return value[:SHOWN_BYTES].decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _get(session: Session, user_id: UUID, letter_id: UUID, *, lock: bool = False) -> DeadLetter:
    wanted = select(DeadLetter).where(DeadLetter.id == letter_id, _visible_to(session, user_id))
    letter = session.scalar(wanted.with_for_update() if lock else wanted)
    if letter is None:
        raise NotFound(sentence("there is no such dead letter"))
    return letter


def _visible_to(session: Session, user_id: UUID) -> Any:
    mine = DeadLetter.user_id == user_id
    if session.scalar(select(User.role).where(User.id == user_id)) not in ADMINISTRATORS:
        return mine
    nobody = ~select(User.id).where(User.id == DeadLetter.user_id).exists()
    return or_(mine, nobody)


def _named_user(value: bytes) -> UUID | None:
    """Read the user's id from a message, as far as it can be read at all."""
    try:
        message = jsonio.loads(value)
        return UUID(message.get("userId") or message.get("user_id"))
    except (ValueError, TypeError, AttributeError):
        return None
