"""Accepting events: one committed row is the durable moment, the message after it is only a hint.

`record` is for callers that have a transaction of their own (schedules, mailboxes); `Intake` is the hot path.

The work of an account that is disabled, or has used up a quota, is refused where it comes in: by `Intake` itself,
by `require_room` where somebody starts it by hand, and by schedules and mailboxes where they look for what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

from flowforge import events, jsonio
from flowforge.bus import CircuitOpen, EventBus, Message
from flowforge.db import events_store
from flowforge.db.engine import Connection
from flowforge.db.events_store import (
    EarlierCall,
    ExternalCall,
    KnownToken,
    NewEvent,
    StoredCall,
    find_owner,
    find_token,
)
from flowforge.db.refused_work import Refusal, raise_refusal, require_room
from flowforge.engine.group_commit import PATIENCE_SECONDS, GroupCommit
from flowforge.engine.passed_files import pass_on_to_events
from flowforge.errors import Conflict, Invalid, Unavailable
from flowforge.events import TriggerEvent
from flowforge.field_order import order_of
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.wiring import Backends

__all__ = [
    "AcceptedCall",
    "Awaiting",
    "CallKey",
    "Intake",
    "KnownToken",
    "NewEvent",
    "Repeat",
    "announce",
    "find_owner",
    "find_token",
    "messages",
    "record",
    "require_room",
]

logger = logging.getLogger(__name__)

_SMALL_CHARACTERS = 64 * 1024
"""Of a payload's JSON: what is larger is stored alone, so that no small one waits for it."""


def record(connection: Connection, new: Sequence[NewEvent]) -> list[NewEvent]:
    """Inserts events in one statement; returns those whose id and idempotency key were new."""
    if not new:
        return []
    inserted = events_store.insert_events(connection, new)
    recorded = [event for event in new if event.event_id in inserted]
    pass_on_to_events(connection, recorded)
    return recorded


def announce(bus: EventBus, new: Sequence[NewEvent], *, inline_limit: int) -> None:
    """Publishes events after their commit; never raises. A bus that is away costs a delay: events that are not handled
    are redelivered from PostgreSQL. A caller who saw an error would send an accepted event twice."""
    try:
        bus.publish(messages(new, inline_limit))
    except CircuitOpen:
        logger.debug("%d events are accepted but not announced yet", len(new))
    except Unavailable as error:
        logger.warning("%d events are accepted but not announced yet: %s", len(new), error)
    except Exception:
        logger.exception("%d events are accepted but not announced yet", len(new))


def messages(new: Sequence[NewEvent], inline_limit: int) -> list[Message]:
    """The messages of events for the orchestrator; a payload that makes one larger than the limit stays in
    PostgreSQL."""
    return [_message(event, inline_limit) for event in new]


class Repeat(Enum):
    """What a call with the key of an earlier one may be."""

    OF_ANYTHING = "anything"
    OF_THE_SAME = "with the same digest"
    OF_ANOTHER_TRY = "with another digest: an honest sender signs each try anew"


_CONFLICTS = {
    Repeat.OF_THE_SAME: sentence("this idempotency key was used for a call with another body"),
    Repeat.OF_ANOTHER_TRY: sentence("this call was made before; each try has to be signed anew"),
}


@dataclass(frozen=True, slots=True)
class CallKey:
    """What tells a call from others: one with the same key is the same call, sent again."""

    key: str
    digest: str | None = None
    """Names what was sent."""
    repeat: Repeat = Repeat.OF_ANYTHING

    def admits(self, earlier: str | None) -> bool:
        """Whether this may be the repeat of a call that had the digest `earlier`."""
        if self.repeat is Repeat.OF_ANYTHING or None in (self.digest, earlier):
            return True
        return (self.digest == earlier) == (self.repeat is Repeat.OF_THE_SAME)


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A caller who waits for an answer of the workflow's."""

    moment: str
    """`respond` in the trigger's config."""
    seconds: float


@dataclass(frozen=True, slots=True)
class AcceptedCall:
    """The outcome of a call. `event_id` is None where the trigger is disabled, or its owner; `trigger_id` is None of a
    call to a draft."""

    trigger_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    fresh: NewEvent | None
    """The event, if this call made it; None for a repeat with the same key."""
    wait_seconds: float | None = None
    """Seconds that the caller waits for an answer of the workflow; None: it is answered at once."""
    is_outdated: bool = False
    """Whether the trigger has another configuration than the call was judged by: then nothing has been stored."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What became of a call, and the event that it made, if it did."""

    made: StoredCall
    event: NewEvent | None


class Intake:
    """Accepts the calls of webhooks and forms: one statement, committed, and one publish for those that come while
    others are being stored. Safe to share between threads."""

    def __init__(self, backends: Backends, patience: float = PATIENCE_SECONDS) -> None:
        """`patience`: seconds after which a call does not wait for others any longer."""
        self._backends = backends
        self.calls: GroupCommit[ExternalCall, _Accepted | None] = GroupCommit(self._store, self._announce, patience)

    def accept(
        self,
        trigger_type: str,
        token: str,
        payload: JsonObject,
        metadata: JsonObject,
        key: CallKey | None = None,
        *,
        awaiting: Awaiting | None = None,
        judged_by: str | None = None,
        event_id: UUID | None = None,
    ) -> AcceptedCall | None:
        """Looks the token up and stores the event. None: no trigger of that type has such a token.

        Committed when it returns; raises Unavailable when it could not be, Invalid for what JSON cannot hold, and
        OverQuota where the owner has used up a quota. Where the key was used before, the answer is the first call's;
        raises Conflict where this cannot be its repeat. `judged_by`: the configuration by which the call was let in.
        `event_id`: the id of the event that it makes, where something refers to it already.
        """
        if key is not None and key.digest is not None:
            metadata = {**metadata, "bodyDigest": key.digest}
        texts = _nestable(payload), jsonio.dumps_for_database(order_of(payload)), _nestable(metadata)
        moment, seconds = (awaiting.moment, awaiting.seconds) if awaiting else (None, None)
        key_text = key.key if key else None
        call = ExternalCall(trigger_type, token, *texts, key_text, moment, judged_by, event_id or uuid7())
        is_large = len(call.payload) > _SMALL_CHARACTERS
        accepted = self.calls.store_alone(call) if is_large else self.calls.store(call)
        if accepted is None:
            return None
        made = accepted.made
        owner = (made.trigger_id, made.workflow_id, made.user_id)
        if made.is_outdated:
            return AcceptedCall(*owner, None, None, is_outdated=True)
        if accepted.event is not None:
            return AcceptedCall(*owner, call.event_id, accepted.event, seconds)
        return AcceptedCall(*owner, self._first_event(made, key), None, seconds)

    def _store(self, calls: Sequence[ExternalCall]) -> list[_Accepted | None]:
        stored = events_store.accept_calls(self._backends.engine, calls)
        return [_accepted(call, made) if made else None for call, made in zip(calls, stored, strict=True)]

    def _announce(self, _calls: Sequence[ExternalCall], accepted: Sequence[_Accepted | None]) -> None:
        fresh = [each.event for each in accepted if each and each.event]
        announce(self._backends.bus, fresh, inline_limit=self._backends.settings.payload_inline_limit)

    def _first_event(self, made: StoredCall, key: CallKey | None) -> UUID | None:
        """The event of the first call with that key; None: there is none, as the trigger is disabled, or its owner."""
        earlier = events_store.first_with_key(self._backends.engine, made.trigger_id, key.key) if key else None
        if earlier is None and made.refusal is not None:
            _refuse_over_quota(Refusal(made.refusal))
        elif earlier is None and made.enabled:
            raise Unavailable(sentence("the first event with this idempotency key is being deleted"))
        return _event_of(earlier, key)


def _accepted(call: ExternalCall, made: StoredCall) -> _Accepted:
    """The event's data are carried on as they were written to be stored."""
    if not made.is_fresh:
        return _Accepted(made, None)
    owner = (made.trigger_id, made.workflow_id, made.user_id)
    data = jsonio.written(call.payload), jsonio.written(call.metadata)
    return _Accepted(made, NewEvent(*owner, call.trigger_type, *data, call.event_id, call.key))


def _event_of(earlier: EarlierCall | None, key: CallKey | None) -> UUID | None:
    if earlier is None:
        return None
    if key is not None and not key.admits(earlier.digest):
        raise Conflict(_CONFLICTS[key.repeat])
    return earlier.event_id


def _refuse_over_quota(refusal: Refusal) -> None:
    """A disabled owner's triggers are like disabled ones: whoever calls them is not told more."""
    if refusal is not Refusal.DISABLED:
        raise_refusal(refusal)


def _nestable(value: JsonObject) -> str:
    """The value as JSON text that messages can carry inside them."""
    try:
        return jsonio.carried_for_database(value)
    except TypeError as error:
        raise Invalid.at("", sentence("is nested too deeply, or holds text that is not Unicode")) from error


def _message(event: NewEvent, inline_limit: int) -> Message:
    carried = {"payload": event.payload, "metadata": event.metadata}
    message = Message.of(events.TRIGGER_EVENTS, _trigger_event(event), carried)
    if len(message.value) > inline_limit:
        referring = _trigger_event(event, by_reference=True, size=len(message.value))
        return Message.of(events.TRIGGER_EVENTS, referring, {"metadata": event.metadata})
    return message


def _trigger_event(event: NewEvent, *, by_reference: bool | None = None, size: int | None = None) -> TriggerEvent:
    """The message without what it carries."""
    return TriggerEvent(
        event_id=event.event_id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=datetime.now(UTC),
        by_reference=by_reference,
        size=size,
    )
