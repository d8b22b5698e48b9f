"""Accepting events: one committed row is the durable moment, the message after it is only a hint.

`record` is for callers that have a transaction of their own (schedules, mailboxes); `accept_call` is the hot path.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from flowforge import events, jsonio
from flowforge.bus import EventBus, Message
from flowforge.db.autocommit import autocommitting
from flowforge.db.engine import unavailable_when_down
from flowforge.engine import answers
from flowforge.errors import Invalid, Unavailable
from flowforge.events import TriggerEvent
from flowforge.ids import uuid7

logger = logging.getLogger(__name__)

_NUL = "\x00"
"""PostgreSQL holds no text with it, so no token has one."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened and asks for an execution."""

    trigger_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    payload: dict[str, Any]
    metadata: dict[str, Any]
    event_id: UUID = field(default_factory=uuid7)
    idempotency_key: str | None = None
    execution_id: UUID | None = None
    """Given in advance where the caller is told it."""
    awaited_by: dict[str, Any] | None = None
    replay: dict[str, Any] | None = None


def record(connection: Connection, new: Sequence[NewEvent]) -> list[NewEvent]:
    """Inserts them in one statement; returns those whose id and idempotency key were new."""
    if not new:
        return []
    rows = connection.exec_driver_sql(
        """
        INSERT INTO trigger_service.trigger_events
            (id, trigger_id, workflow_id, user_id, trigger_type, payload, metadata, idempotency_key, execution_id,
             awaited_by, replay, created_at)
        SELECT r.id, r.trigger_id, r.workflow_id, r.user_id, r.trigger_type, r.payload, r.metadata,
               r.idempotency_key, r.execution_id, r.awaited_by, r.replay, now()
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            id uuid, trigger_id uuid, workflow_id uuid, user_id uuid, trigger_type text, payload jsonb,
            metadata jsonb, idempotency_key text, execution_id uuid, awaited_by jsonb, replay jsonb)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        {"rows": jsonio.dumps_for_database([_row(event) for event in new])},
    )
    inserted = {row[0] for row in rows}
    return [event for event in new if event.event_id in inserted]


def announce(bus: EventBus, new: Sequence[NewEvent], *, inline_limit: int) -> None:
    """Tells the orchestrator, after the commit; never raises. A bus that is away costs a delay: PostgreSQL shows what
    is owed, and upkeep sends it again. A caller who were told of an error would send an accepted event twice."""
    try:
        bus.publish(messages(new, inline_limit))
    except Unavailable as error:
        logger.warning("%d events are accepted but not announced yet: %s", len(new), error)
    except Exception:
        logger.exception("%d events are accepted but not announced yet", len(new))


def messages(new: Sequence[NewEvent], inline_limit: int) -> list[Message]:
    """What tells the orchestrator of them; a payload above the limit stays in PostgreSQL."""
    return [_message(event, inline_limit) for event in new]


@dataclass(frozen=True, slots=True)
class AcceptedCall:
    """The outcome of a call. `event_id` is None where the trigger is disabled."""

    trigger_id: UUID
    event_id: UUID | None
    fresh: NewEvent | None
    """The event, if this call made it; None for a repeat with the same idempotency key."""
    wait_seconds: float | None = None
    """How long the caller waits for an answer of the workflow's; None: it is answered at once."""
    unproven: str | None = None
    """The sealed secret that the caller has to prove to know first; nothing has been stored then."""


def accept_call(
    engine: Engine,
    trigger_type: str,
    token: str,
    payload: dict[str, Any],
    metadata: dict[str, Any],
    idempotency_key: str | None = None,
    *,
    proven: str | None = None,
) -> AcceptedCall | None:
    """Looks the token up and stores the event, in one statement. None: no trigger of that type has such a token.

    Committed when it returns; raises Unavailable when it could not be, and Invalid for what JSON cannot hold. Where
    the key was used before, the answer is the first one's. `proven`: the sealed secret that the caller knows.
    """
    if _NUL in token:
        return None
    event_id = uuid7()
    values = {
        "type": trigger_type,
        "token": token,
        "id": str(event_id),
        "payload": _carried(payload),
        "metadata": _carried(metadata),
        "key": idempotency_key,
        "proven": proven,
    }
    with unavailable_when_down(), autocommitting(engine) as connection:
        row = connection.exec_driver_sql(
            """
            WITH hook AS (
                SELECT id, workflow_id, user_id, enabled,
                       NULLIF(NULLIF(configuration->>'respond', 'immediately'), '') AS respond,
                       configuration->'respondTimeout' AS seconds,
                       substring(configuration->>'secret' FROM '^enc:.*') AS secret
                FROM trigger_service.trigger_registrations
                WHERE webhook_token = %(token)s AND lower(trigger_type) = %(type)s
            ), accepted AS (
                INSERT INTO trigger_service.trigger_events
                    (id, trigger_id, workflow_id, user_id, trigger_type, payload, metadata, idempotency_key, awaited_by,
                     created_at)
                SELECT %(id)s, id, workflow_id, user_id, %(type)s, %(payload)s, %(metadata)s, %(key)s,
                       CASE WHEN respond IS NOT NULL THEN jsonb_build_object('caller', respond) END, now()
                FROM hook WHERE enabled AND (secret IS NULL OR secret = %(proven)s)
                ON CONFLICT DO NOTHING
                RETURNING id
            )
            SELECT h.id, h.workflow_id, h.user_id, h.enabled, h.respond, h.seconds, a.id, h.secret
            FROM hook h LEFT JOIN accepted a ON true
            """,
            values,
        ).first()
        if row is None:
            return None
        trigger_id, workflow_id, user_id, enabled, respond, seconds, accepted, secret = row
        if secret is not None and secret != proven:
            return AcceptedCall(trigger_id, None, None, unproven=secret)
        wait = None if respond not in answers.MODES else float(seconds or answers.DEFAULT_WAIT_SECONDS)
        if accepted is not None:
            event = NewEvent(
                trigger_id, workflow_id, user_id, trigger_type, payload, metadata, event_id, idempotency_key
            )
            return AcceptedCall(trigger_id, event_id, event, wait)
        first = _first_with_key(connection, trigger_id, idempotency_key)
        if first is None and enabled:
            raise Unavailable("the first event with this idempotency key is being deleted")
        return AcceptedCall(trigger_id, first, None, wait)


def has_token(engine: Engine, trigger_type: str, token: str) -> bool:
    """Whether a trigger of that type has the token. Raises Unavailable."""
    if _NUL in token:
        return False
    with unavailable_when_down(), autocommitting(engine) as connection:
        found = connection.exec_driver_sql(
            "SELECT 1 FROM trigger_service.trigger_registrations"
            " WHERE webhook_token = %(token)s AND lower(trigger_type) = %(type)s",
            {"token": token, "type": trigger_type},
        )
        return found.first() is not None


def _first_with_key(connection: Connection, trigger_id: UUID, key: str | None) -> UUID | None:
    if key is None:
        return None
    found: UUID | None = connection.exec_driver_sql(
        "SELECT id FROM trigger_service.trigger_events WHERE trigger_id = %(id)s AND idempotency_key = %(key)s",
        {"id": str(trigger_id), "key": key},
    ).scalar()
    return found


def _carried(value: dict[str, Any]) -> str:
    try:
        return jsonio.carried_for_database(value)
    except TypeError as error:
        raise Invalid.at("", "is nested too deeply, or holds text that is not Unicode") from error


def _row(event: NewEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "trigger_id": event.trigger_id,
        "workflow_id": event.workflow_id,
        "user_id": event.user_id,
        "trigger_type": event.trigger_type,
        "payload": event.payload,
        "metadata": event.metadata,
        "idempotency_key": event.idempotency_key,
        "execution_id": event.execution_id,
        "awaited_by": event.awaited_by,
        "replay": event.replay,
    }


def _message(event: NewEvent, inline_limit: int) -> Message:
    message = Message.of(events.TRIGGER_EVENTS, _trigger_event(event, event.payload))
    if len(message.value) > inline_limit:
        return Message.of(events.TRIGGER_EVENTS, _trigger_event(event, None))
    return message


def _trigger_event(event: NewEvent, payload: dict[str, Any] | None) -> TriggerEvent:
    return TriggerEvent(
        event_id=event.event_id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=datetime.now(UTC),
        payload=payload or {},
        metadata=event.metadata,
        by_reference=True if payload is None else None,
    )
