"""Accepting events: one committed row is the durable moment, the message after it is only a hint.

`record` is for callers that have a transaction of their own (schedules, mailboxes); `accept_call` is the hot path.

The work of an account that is disabled, or has used up a quota, is refused where it comes in: by `accept_call` itself,
by `require_room` where somebody starts it by hand, and by schedules and mailboxes where they look for what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowforge import events, jsonio
from flowforge.bus import CircuitOpen, EventBus, Message
from flowforge.db import events_store
from flowforge.db.engine import Connection, Engine
from flowforge.db.events_store import EarlierCall, ExternalCall, KnownToken, NewEvent, StoredCall, find_token
from flowforge.db.refused_work import Refusal, raise_refusal, require_room
from flowforge.engine import answers
from flowforge.engine.passed_files import pass_on_to_events
from flowforge.errors import Conflict, Invalid, Unavailable
from flowforge.events import TriggerEvent
from flowforge.jsonio import JsonObject

__all__ = [
    "AcceptedCall",
    "KnownToken",
    "NewEvent",
    "accept_call",
    "announce",
    "find_token",
    "messages",
    "record",
    "require_room",
]

logger = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class AcceptedCall:
    """The outcome of a call. `event_id` is None where the trigger is disabled, or its owner."""

    trigger_id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    fresh: NewEvent | None
    """The event, if this call made it; None for a repeat with the same idempotency key."""
    wait_seconds: float | None = None
    """Seconds that the caller waits for an answer of the workflow; None: it is answered at once."""
    unproven: str | None = None
    """The sealed secret that the caller has to prove to know first; nothing has been stored then."""


def accept_call(
    engine: Engine,
    trigger_type: str,
    token: str,
    payload: JsonObject,
    metadata: JsonObject,
    idempotency_key: str | None = None,
    *,
    body_digest: str | None = None,
    proven: str | None = None,
) -> AcceptedCall | None:
    """Looks the token up and stores the event, in one statement. None: no trigger of that type has such a token.

    Committed when it returns; raises Unavailable when it could not be, Invalid for what JSON cannot hold, and OverQuota
    where the owner has used up a quota. Where the key was used before, the answer is the first call's; raises Conflict
    where that had another body. `proven`: the sealed secret that the caller knows; then the key is made of the body,
    which alone is signed.
    """
    if idempotency_key is not None and body_digest is not None:
        metadata = {**metadata, "bodyDigest": body_digest}
    signed_key = f"signed {body_digest}" if proven is not None and body_digest is not None else None
    texts = _nestable(payload), _nestable(metadata)
    call = ExternalCall(trigger_type, token, *texts, idempotency_key, proven, signed_key)
    stored = events_store.accept_call(engine, call)
    if stored is None:
        return None
    owner = (stored.trigger_id, stored.workflow_id, stored.user_id)
    if stored.secret is not None and stored.secret != proven:
        return AcceptedCall(*owner, None, None, unproven=stored.secret)
    if stored.fresh is not None:
        event = NewEvent(*owner, trigger_type, payload, metadata, stored.fresh, stored.key)
        return AcceptedCall(*owner, event.event_id, event, _wait_seconds(stored))
    if stored.earlier is None and stored.refusal is not None:
        _refuse_over_quota(Refusal(stored.refusal))
    elif stored.earlier is None and stored.enabled:
        raise Unavailable("the first event with this idempotency key is being deleted")
    return AcceptedCall(*owner, _event_of(stored.earlier, body_digest), None, _wait_seconds(stored))


def _event_of(earlier: EarlierCall | None, body_digest: str | None) -> UUID | None:
    if earlier is None:
        return None
    if None not in (earlier.body_digest, body_digest) and earlier.body_digest != body_digest:
        raise Conflict("this idempotency key was used for a call with another body")
    return earlier.event_id


def _refuse_over_quota(refusal: Refusal) -> None:
    """A disabled owner's triggers are like disabled ones: whoever calls them is not told more."""
    if refusal is not Refusal.DISABLED:
        raise_refusal(refusal)


def _wait_seconds(stored: StoredCall) -> float | None:
    if stored.respond not in answers.MODES:
        return None
    return float(stored.respond_timeout or answers.DEFAULT_WAIT_SECONDS)


def _nestable(value: JsonObject) -> str:
    """The value as JSON text that messages can carry inside them."""
    try:
        return jsonio.carried_for_database(value)
    except TypeError as error:
        raise Invalid.at("", "is nested too deeply, or holds text that is not Unicode") from error


def _message(event: NewEvent, inline_limit: int) -> Message:
    message = Message.of(events.TRIGGER_EVENTS, _trigger_event(event, event.payload))
    if len(message.value) > inline_limit:
        return Message.of(events.TRIGGER_EVENTS, _trigger_event(event, None, len(message.value)))
    return message


def _trigger_event(event: NewEvent, payload: Mapping[str, Any] | None, size: int | None = None) -> TriggerEvent:
    return TriggerEvent(
        event_id=event.event_id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=datetime.now(UTC),
        payload=dict(payload or {}),
        metadata=dict(event.metadata),
        by_reference=True if payload is None else None,
        bytes=size,
    )
