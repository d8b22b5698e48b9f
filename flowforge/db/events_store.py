"""Accepted events: rows of `trigger_service.trigger_events`, from acceptance to the answer for the caller.

A committed row is the durable moment (design invariant 1). Unless a function says otherwise, it handles a whole batch
in one statement and the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from flowforge import jsonio
from flowforge.db.autocommit import autocommitting, run_alone
from flowforge.db.engine import unavailable_when_down
from flowforge.db.prepared import PREPARED
from flowforge.db.refused_work import REFUSAL_OF_OWNER
from flowforge.field_order import Order, order_of, orders_of, restore, restore_row
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject, Written

_NUL = "\x00"
"""PostgreSQL holds no text with it, so no token has one."""
_CONFIGURATION = "COALESCE(configuration, 'null')"
"""SQL. An adopted trigger may have none."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is to lead to an execution."""

    trigger_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    payload: Mapping[str, Any] | Written
    metadata: Mapping[str, Any] | Written
    event_id: UUID = field(default_factory=uuid7)
    idempotency_key: str | None = None
    execution_id: UUID | None = None
    """Chosen in advance where the caller learns it."""
    awaited_by: Mapping[str, Any] | None = None
    replay: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """A call to the address of a trigger of that type. `payload`, `payload_order` and `metadata` are JSON texts."""

    trigger_type: str
    token: str
    payload: str
    payload_order: str
    metadata: str
    key: str | None
    """The idempotency key under which it counts."""
    awaits: str | None
    """The moment for which the caller waits; None: it is answered at once."""
    judged_by: str | None
    """The trigger's configuration, as JSON text, by which the call was let in; None: by none."""
    event_id: UUID
    """The id of the event that it makes."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token in the address of a trigger."""

    token: str
    """The trigger's own; another one than was looked for where that had a slash at its end, or is a former one."""
    configuration: str
    """The trigger's, as JSON text, secrets sealed."""
    ends_at: datetime | None = None
    """The end of a former token; None of one that has none."""

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """The first call with the same idempotency key."""

    event_id: UUID
    digest: str | None
    """Names what was sent with it; None where that was not noted."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """The trigger that was called, and what became of the call."""

    trigger_id: UUID
    workflow_id: UUID
    user_id: UUID
    enabled: bool
    is_outdated: bool
    """Whether the trigger has another configuration than the call was judged by: then nothing was stored."""
    refusal: str | None
    """Why no work of its owner's is accepted (flowforge.db.refused_work); None where it is."""
    is_fresh: bool
    """Whether this call made its event; False also where its key was used before."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """The workflow and the requests behind an accepted event.

    `version_id` is None for an adopted workflow that never ran here.
    """

    event_id: UUID
    execution_id: UUID | None
    handled: bool
    workflow_owner: UUID | None
    workflow_enabled: bool | None
    version_id: UUID | None
    payload: JsonObject | None
    """None where `event_contexts` does not load it."""
    awaited_by: JsonObject | None
    replay: JsonObject | None


@dataclass(frozen=True, slots=True)
class EventResponse:
    """The answer for the caller of an event: {status, headers, body}."""

    event_id: UUID
    response: Mapping[str, Any]
    response_order: Order | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "response_order", order_of(self.response))


def insert_events(connection: Connection, new: Sequence[NewEvent]) -> set[UUID]:
    """Inserts events. Returns the ids of those whose id and idempotency key were new."""
    rows = connection.exec_driver_sql(
        """
        INSERT INTO trigger_service.trigger_events
            (id, trigger_id, workflow_id, user_id, trigger_type, payload, payload_order, metadata, idempotency_key,
             execution_id, awaited_by, replay, created_at)
        SELECT r.event_id, r.trigger_id, r.workflow_id, r.user_id, r.trigger_type, r.payload,
               %(orders)s::jsonb->r.event_id::text, r.metadata, r.idempotency_key, r.execution_id, r.awaited_by,
               r.replay, now()
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            event_id uuid, trigger_id uuid, workflow_id uuid, user_id uuid, trigger_type text, payload jsonb,
            metadata jsonb, idempotency_key text, execution_id uuid, awaited_by jsonb, replay jsonb)
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        {
            "rows": jsonio.dumps_for_database(new),
            "orders": jsonio.dumps_for_database(orders_of({str(event.event_id): event.payload for event in new})),
        },
        execution_options=PREPARED,
    )
    return {row[0] for row in rows}


def accept_calls(engine: Engine, calls: Sequence[ExternalCall]) -> list[StoredCall | None]:
    """Looks the tokens up and stores the events, in one statement that commits by itself. None: no such token.

    Nothing is stored for a disabled trigger, for an owner whose work is refused, nor where the trigger has another
    configuration by now than the call was judged by. Raises Unavailable.
    """
    asked = jsonio.dumps_for_database([_as_row(call) for call in calls if _NUL not in call.token])
    with unavailable_when_down():
        rows = run_alone(engine, _ACCEPT, {"calls": asked})
    stored = {event_id: _stored_call(*row) for event_id, *row in rows}
    return [stored.get(jsonio.format_id(call.event_id)) for call in calls]


_ACCEPT = f"""
    WITH hook AS MATERIALIZED (
        SELECT call.*, trigger.*
        FROM jsonb_to_recordset(%(calls)s::jsonb) AS call(
            event_id uuid, trigger_type text, token text, payload jsonb, payload_order jsonb, metadata jsonb,
            key text, awaited_by jsonb, judged_by jsonb)
        CROSS JOIN LATERAL (
            SELECT id, workflow_id, user_id, enabled, {REFUSAL_OF_OWNER} AS refusal,
                   {_CONFIGURATION} <> COALESCE(call.judged_by, {_CONFIGURATION}) AS is_outdated
            FROM trigger_service.trigger_registrations AS registration
            WHERE webhook_token = call.token AND lower(registration.trigger_type) = call.trigger_type
            OFFSET 0
        ) AS trigger
    ), accepted AS (
        INSERT INTO trigger_service.trigger_events
            (id, trigger_id, workflow_id, user_id, trigger_type, payload, payload_order, metadata, idempotency_key,
             awaited_by, created_at)
        SELECT event_id, id, workflow_id, user_id, trigger_type, payload, payload_order, metadata, key, awaited_by,
               now()
        FROM hook WHERE enabled AND refusal IS NULL AND NOT is_outdated
        ORDER BY id, key, event_id
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT h.event_id::text, h.id::text, h.workflow_id::text, h.user_id::text, h.enabled, h.is_outdated, h.refusal,
           a.id IS NOT NULL
    FROM hook h LEFT JOIN accepted a ON a.id = h.event_id
"""  # noqa: S608  (expressions of ours)
"""In an order of its own, so that two processes that store the same keys cannot wait for one another."""

_frequent_id = lru_cache(10_000)(UUID)
"""Reads ids that come again with each call."""


def _stored_call(trigger_id: str, workflow_id: str, user_id: str, *outcome: Any) -> StoredCall:
    return StoredCall(_frequent_id(trigger_id), _frequent_id(workflow_id), _frequent_id(user_id), *outcome)


def _as_row(call: ExternalCall) -> JsonObject:
    return {
        "event_id": call.event_id,
        "trigger_type": call.trigger_type,
        "token": call.token,
        "payload": jsonio.written(call.payload),
        "payload_order": jsonio.written(call.payload_order),
        "metadata": jsonio.written(call.metadata),
        "key": call.key,
        "awaited_by": call.awaits and {"caller": call.awaits},
        "judged_by": call.judged_by and jsonio.written(call.judged_by),
    }


def first_with_key(engine: Engine, trigger_id: UUID, key: str) -> EarlierCall | None:
    """The first call of that trigger with that idempotency key. Raises Unavailable."""
    with unavailable_when_down(), autocommitting(engine) as connection:
        row = connection.exec_driver_sql(
            "SELECT id, metadata->>'bodyDigest' FROM trigger_service.trigger_events"
            " WHERE trigger_id = %(id)s AND idempotency_key = %(key)s",
            {"id": str(trigger_id), "key": key},
        ).first()
    return None if row is None else EarlierCall(*row)


def find_token(engine: Engine, trigger_type: str, token: str) -> KnownToken | None:
    """None: no trigger of that type has the token, with or without a slash at its end. Raises Unavailable."""
    if _NUL in token:
        return None
    with unavailable_when_down(), autocommitting(engine) as connection:
        row = connection.exec_driver_sql(
            f"""
            SELECT webhook_token, {_CONFIGURATION}::text, NULL, webhook_token = %(token)s AS is_exact
            FROM trigger_service.trigger_registrations
            WHERE webhook_token = ANY(%(tokens)s) AND lower(trigger_type) = %(type)s
            UNION ALL
            SELECT webhook_token, {_CONFIGURATION}::text, ends_at, token = %(token)s
            FROM trigger_service.former_webhook_tokens AS former
            JOIN trigger_service.trigger_registrations AS trigger ON trigger.id = former.trigger_id
            WHERE token = ANY(%(tokens)s) AND ends_at > now() AND lower(trigger_type) = %(type)s
            ORDER BY is_exact DESC LIMIT 1
            """,  # noqa: S608  (an expression of ours)
            {"token": token, "tokens": [token, token.rstrip("/")], "type": trigger_type},
        ).first()
    return None if row is None else KnownToken(*row[:3])


def find_owner(engine: Engine, trigger_type: str, token: str) -> UUID | None:
    """The account of the trigger with that token. Raises Unavailable."""
    with unavailable_when_down(), autocommitting(engine) as connection:
        owner: UUID | None = connection.exec_driver_sql(
            "SELECT user_id FROM trigger_service.trigger_registrations"
            " WHERE webhook_token = %(token)s AND lower(trigger_type) = %(type)s",
            {"token": token, "type": trigger_type},
        ).scalar()
    return owner


def event_contexts(
    connection: Connection, event_ids: Iterable[UUID], *, with_payload: Iterable[UUID] = ()
) -> dict[UUID, EventContext]:
    """Returns what stands behind the events that exist, by id; the payload of those in `with_payload` only."""
    rows = connection.exec_driver_sql(
        """
        SELECT e.id, e.execution_id, e.handled_at IS NOT NULL, w.user_id, w.enabled, w.version_id,
               CASE WHEN e.id = ANY(%(with_payload)s::uuid[]) THEN e.payload END, e.awaited_by, e.replay,
               e.payload_order
        FROM trigger_service.trigger_events e
        LEFT JOIN workflow.workflows w ON w.id = e.workflow_id AND w.user_id = e.user_id
        WHERE e.id = ANY(%(ids)s::uuid[])
        """,
        {"ids": [str(id_) for id_ in event_ids], "with_payload": [str(id_) for id_ in with_payload]},
        execution_options=PREPARED,
    )
    return {row[0]: EventContext(*restore_row(row, 6)) for row in rows}


def note_triggered(connection: Connection, trigger_ids: Sequence[UUID]) -> None:
    """Notes at the triggers that they have just led to an execution."""
    connection.exec_driver_sql(
        """
        UPDATE trigger_service.trigger_registrations SET last_triggered_at = now(), last_success_at = now()
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": [str(id_) for id_ in trigger_ids]},
        execution_options=PREPARED,
    )


def keep_responses(connection: Connection, responses: Sequence[EventResponse]) -> list[UUID]:
    """Stores the answers of events that have none yet; returns the ids of those events."""
    rows = connection.exec_driver_sql(
        """
        UPDATE trigger_service.trigger_events e SET response = r.response, response_order = r.response_order
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(event_id uuid, response jsonb, response_order jsonb)
        WHERE e.id = r.event_id AND e.response IS NULL RETURNING e.id
        """,
        {"rows": jsonio.dumps_for_database(responses)},
        execution_options=PREPARED,
    )
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class PendingResponse:
    """An event whose caller waits, or has waited, for an answer; `response` is None while there is none."""

    response: Mapping[str, Any] | None


def find_response(engine: Engine, event_id: UUID, trigger_id: UUID | None = None) -> PendingResponse | None:
    """None where no caller waits, or has waited, for such an event, of that trigger where one is named. Raises
    Unavailable."""
    with unavailable_when_down(), autocommitting(engine) as connection:
        row = connection.exec_driver_sql(
            """
            SELECT response, response_order FROM trigger_service.trigger_events
            WHERE id = %(id)s AND awaited_by->>'caller' IS NOT NULL
              AND (%(trigger_id)s::uuid IS NULL OR trigger_id = %(trigger_id)s::uuid)
            """,
            {"id": str(event_id), "trigger_id": trigger_id and str(trigger_id)},
            execution_options=PREPARED,
        ).first()
    return None if row is None else PendingResponse(restore(*row))
