"""The orchestrator's queries about executions: creating, locking and advancing them.

Each handles a whole batch in one statement; the caller owns the transaction. Rows travel as one JSON array
(`jsonb_to_recordset`): the statement's text, and so its cost to prepare, is the same for one row and for five hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptResult, NewAttempt, OpenAttempt
from flowforge.db.prepared import PREPARED
from flowforge.db.sizes_store import DATA_SIZE
from flowforge.execution.state import Status
from flowforge.field_order import Order, Orders, restore_row
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class NewExecution:
    """An execution to create for its event, as far as it has come already, with its first attempts."""

    event_id: UUID
    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    trigger_id: UUID | None
    trigger_type: str
    version_id: UUID | None
    awaited_by: Mapping[str, Any] | None
    status: Status = Status.PENDING
    current_step: int = 0
    outputs: Mapping[str, Any] | None = None
    outputs_order: Orders | None = None
    in_block: bool | None = None
    next_frame: int | None = None
    error: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    """{value}"""
    result_order: Order | None = None
    deadline: datetime | None = None
    begin_at: datetime | None = None
    concurrency_key: str | None = None
    replay_of: UUID | None = None
    finished: bool = False
    attempts: Sequence[NewAttempt] = ()


@dataclass(frozen=True, slots=True)
class DroppedEvent:
    """An event that leads to no execution; `dropped` says why."""

    event_id: UUID
    dropped: str


@dataclass(frozen=True, slots=True)
class ExecutionUpdate:
    """A change of an execution's own row, as the state machine has decided."""

    id: UUID
    status: Status
    current_step: int
    outputs: Mapping[str, Any]
    """Added to those that are stored."""
    outputs_order: Orders | None
    """Of these outputs, by their names."""
    in_block: bool | None
    next_frame: int | None
    error: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    """{value}"""
    result_order: Order | None
    deadline: datetime | None
    """None: as it is."""
    finished: bool


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """An execution locked for a decision. While it is `in_block`, payload and outputs are not loaded: they may be
    large, and the frames of the block need nothing of them."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    version_id: UUID | None
    status: str
    current_step: int
    in_block: bool
    next_frame: int
    trigger_type: str | None
    awaited_by: JsonObject | None
    concurrency_key: str | None
    trigger_payload: JsonObject | None
    step_outputs: JsonObject | None


@dataclass(frozen=True, slots=True)
class RootData:
    """The payload and the outputs that an execution's own row holds."""

    payload: JsonObject
    outputs: JsonObject


STATE_COLUMNS = """
    x.id, x.workflow_id, x.user_id, x.event_id, x.version_id, x.status, x.current_step, COALESCE(x.in_block, false),
    COALESCE(x.next_frame, 1), x.trigger_type, x.awaited_by, x.concurrency_key,
    CASE WHEN x.in_block IS NOT TRUE THEN COALESCE(x.trigger_payload, '{}') END,
    CASE WHEN x.in_block IS NOT TRUE THEN COALESCE(x.step_outputs, '{}') END,
    CASE WHEN x.in_block IS NOT TRUE THEN x.payload_order END, CASE WHEN x.in_block IS NOT TRUE THEN x.outputs_order END
"""
"""Selected from `workflow_executions x`, for `execution_state`."""


def execution_state(row: Sequence[Any]) -> ExecutionState:
    """The execution in a row of STATE_COLUMNS."""
    return ExecutionState(*restore_row(row, -2, -1))


def begin_executions(connection: Connection, rows: Sequence[NewExecution | DroppedEvent]) -> set[UUID]:
    """Creates executions with their first attempts, and marks all the events handled. An execution has its event's
    payload from then on, so the event keeps none.

    Returns the events that got an execution now: another orchestrator may have been first, the unique event id decides.
    """
    created = connection.exec_driver_sql(
        """
        WITH rows AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                event_id uuid, execution_id uuid, workflow_id uuid, user_id uuid, trigger_id uuid, trigger_type text,
                version_id uuid, awaited_by jsonb, status text, current_step int, outputs jsonb, outputs_order jsonb,
                in_block boolean, next_frame int, error jsonb, result jsonb, result_order jsonb,
                deadline timestamptz, begin_at timestamptz, concurrency_key text, replay_of uuid,
                finished boolean, attempts jsonb, dropped text)
        ), created AS (
            INSERT INTO orchestrator.workflow_executions AS x
                (id, workflow_id, user_id, status, current_step, trigger_payload, payload_order, step_outputs,
                 outputs_order, event_id, version_id, trigger_id, trigger_type, error, created_at, updated_at,
                 finished_at, in_block, next_frame, result, result_order, awaited_by, parent_execution_id, deadline,
                 begin_at, concurrency_key, replay_of)
            SELECT r.execution_id, r.workflow_id, r.user_id, r.status, r.current_step, e.payload,
                   e.payload_order, COALESCE(r.outputs, '{}'), r.outputs_order, r.event_id, r.version_id,
                   r.trigger_id, r.trigger_type, r.error, now(), now(), CASE WHEN r.finished THEN now() END,
                   r.in_block, r.next_frame, r.result, r.result_order, r.awaited_by,
                   (r.awaited_by->>'executionId')::uuid, r.deadline, r.begin_at, r.concurrency_key, r.replay_of
            FROM rows r JOIN trigger_service.trigger_events e ON e.id = r.event_id
            WHERE r.dropped IS NULL
            ON CONFLICT (event_id) DO NOTHING
            RETURNING x.id, x.event_id
        ), attempts AS (
            INSERT INTO orchestrator.step_attempts
                (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, started_at,
                 waiting, fails_after_crash, rate_limited)
            SELECT c.id, a.step_index, a.iteration, a.attempt, r.workflow_id, a.state, COALESCE(a.due_at, now()),
                   CASE WHEN a.due_at IS NULL THEN now() END, CASE WHEN a.state = 'WAITING' THEN now() END, a.waiting,
                   a.fails_after_crash, a.rate_limited
            FROM created c JOIN rows r ON r.execution_id = c.id
            CROSS JOIN LATERAL jsonb_to_recordset(r.attempts) AS a(
                step_index int, iteration int, attempt int, state text, due_at timestamptz, waiting jsonb,
                fails_after_crash boolean, rate_limited boolean)
        ), handled AS (
            UPDATE trigger_service.trigger_events e
            SET handled_at = now(), dropped_because = r.dropped,
                payload = CASE WHEN r.dropped IS NULL THEN '{}' ELSE e.payload END,
                payload_order = CASE WHEN r.dropped IS NOT NULL THEN e.payload_order END,
                execution_id = CASE WHEN r.dropped IS NULL THEN COALESCE(e.execution_id, r.execution_id) END
            FROM rows r WHERE e.id = r.event_id AND e.handled_at IS NULL
        )
        SELECT event_id FROM created
        """,
        {"rows": jsonio.dumps_for_database(rows)},
        execution_options=PREPARED,
    )
    return {row[0] for row in created}


def lock_executions(connection: Connection, execution_ids: Iterable[UUID]) -> list[ExecutionState]:
    """Locks executions in the order of their ids, so that two orchestrators cannot wait for each other."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT {STATE_COLUMNS} FROM orchestrator.workflow_executions x
        WHERE x.id = ANY(%(ids)s::uuid[]) ORDER BY x.id FOR UPDATE
        """,  # noqa: S608  (names of columns)
        {"ids": _texts(execution_ids)},
        execution_options=PREPARED,
    )
    return [execution_state(row) for row in rows]


def lock_overdue(connection: Connection, limit: int, only: UUID | None = None) -> list[ExecutionState]:
    """Locks at most `limit` executions whose time limit is over, of all or `only` one; those that another orchestrator
    has locked are left to it."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT {STATE_COLUMNS} FROM orchestrator.workflow_executions x
        WHERE x.deadline <= now() AND x.finished_at IS NULL AND (%(only)s::uuid IS NULL OR x.id = %(only)s::uuid)
        ORDER BY x.deadline LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        """,  # noqa: S608
        {"limit": limit, "only": only and str(only)},
        execution_options=PREPARED,
    )
    return [execution_state(row) for row in rows]


def root_data(connection: Connection, execution_ids: Iterable[UUID]) -> dict[UUID, RootData]:
    """Returns payload and outputs by execution."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, COALESCE(trigger_payload, '{}'), COALESCE(step_outputs, '{}'), payload_order, outputs_order
        FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(execution_ids)},
        execution_options=PREPARED,
    )
    return {row[0]: RootData(*restore_row(row[1:], 0, 1)) for row in rows}


@dataclass(frozen=True, slots=True)
class StepKey:
    """A step in one frame of an execution."""

    execution_id: UUID
    step_index: int
    iteration: int


def open_attempts(connection: Connection, steps: Sequence[StepKey]) -> list[OpenAttempt]:
    """Returns the attempts of these steps whose result is not taken yet."""
    rows = connection.exec_driver_sql(
        """
        SELECT a.execution_id, a.step_index, a.iteration, a.attempt, a.state, a.succeeded, a.output, a.error, a.repeats,
               a.pauses, a.output_order
        FROM (SELECT DISTINCT * FROM jsonb_to_recordset(%(steps)s::jsonb) AS s(
                execution_id uuid, step_index int, iteration int)) s
        JOIN orchestrator.step_attempts a USING (execution_id, step_index, iteration)
        WHERE a.state <> 'APPLIED'
        """,
        {"steps": jsonio.dumps(steps).decode()},
        execution_options=PREPARED,
    )
    return [OpenAttempt(*restore_row(row, 6)) for row in rows]


def apply(
    connection: Connection,
    updates: Sequence[ExecutionUpdate],
    applied: Sequence[AttemptResult],
    attempts: Sequence[NewAttempt],
) -> None:
    """Writes what the state machine has decided: changed executions, attempts whose results are taken or stale (their
    outputs are the executions' from now on), and the attempts that follow."""
    connection.exec_driver_sql(
        """
        WITH updated AS (
            UPDATE orchestrator.workflow_executions x
            SET status = m.status, current_step = m.current_step, updated_at = now(),
                step_outputs = CASE WHEN m.outputs = '{}' THEN x.step_outputs
                    ELSE COALESCE(x.step_outputs, '{}') || m.outputs END,
                outputs_order = COALESCE(x.outputs_order || m.outputs_order, m.outputs_order, x.outputs_order),
                in_block = m.in_block, next_frame = m.next_frame,
                error = COALESCE(m.error, x.error), result = COALESCE(m.result, x.result),
                result_order = COALESCE(m.result_order, x.result_order),
                begin_at = CASE WHEN m.status = 'PENDING' THEN x.begin_at END,
                deadline = COALESCE(m.deadline, x.deadline),
                finished_at = CASE WHEN m.finished THEN now() ELSE x.finished_at END
            FROM jsonb_to_recordset(%(updates)s::jsonb) AS m(
                id uuid, status text, current_step int, outputs jsonb, outputs_order jsonb, in_block boolean,
                next_frame int, error jsonb, result jsonb, result_order jsonb, deadline timestamptz,
                finished boolean)
            WHERE x.id = m.id
        ), applied AS (
            UPDATE orchestrator.step_attempts a
            SET state = 'APPLIED', succeeded = p.succeeded, error = p.error, output = NULL, output_order = NULL,
                lease_owner = NULL, lease_until = NULL, parked = false, finished_at = COALESCE(a.finished_at, now())
            FROM jsonb_to_recordset(%(applied)s::jsonb) AS p(
                execution_id uuid, step_index int, iteration int, attempt int, succeeded boolean, error jsonb)
            WHERE a.execution_id = p.execution_id AND a.step_index = p.step_index
                AND a.iteration = p.iteration AND a.attempt = p.attempt
        )
        INSERT INTO orchestrator.step_attempts
            (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, started_at, waiting,
             repeats, pauses, fails_after_crash, rate_limited)
        SELECT s.execution_id, s.step_index, s.iteration, s.attempt, s.workflow_id, s.state,
               COALESCE(s.due_at, now()), CASE WHEN s.due_at IS NULL THEN now() END,
               CASE WHEN s.state = 'WAITING' THEN now() END, s.waiting, s.repeats, s.pauses, s.fails_after_crash,
               s.rate_limited
        FROM jsonb_to_recordset(%(attempts)s::jsonb) AS s(
            execution_id uuid, step_index int, iteration int, attempt int, workflow_id uuid, state text,
            due_at timestamptz, waiting jsonb, repeats int, pauses int, fails_after_crash boolean,
            rate_limited boolean)
        ON CONFLICT DO NOTHING
        """,
        {
            "updates": jsonio.dumps_for_database(updates),
            "applied": jsonio.dumps_for_database(applied),
            "attempts": jsonio.dumps_for_database(attempts),
        },
        execution_options=PREPARED,
    )


@dataclass(frozen=True, slots=True)
class RunningExecution:
    """An execution that runs; payload and outputs only where `running_executions` loads them."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    version_id: UUID | None
    payload: JsonObject | None
    outputs: JsonObject | None
    left_out: int | None
    """Estimated bytes of payload and outputs that are too large to be loaded."""


def running_executions(
    connection: Connection, execution_ids: Iterable[UUID], *, with_data: Iterable[UUID], most_bytes: int | None = None
) -> dict[UUID, RunningExecution]:
    """Returns those that are RUNNING, by id; payload and outputs of those in `with_data` only, and only where these are
    at most `most_bytes`."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT id, workflow_id, user_id, version_id,
               CASE WHEN is_wanted AND NOT is_large THEN trigger_payload END,
               CASE WHEN is_wanted AND NOT is_large THEN step_outputs END,
               CASE WHEN is_wanted AND is_large THEN size END,
               CASE WHEN is_wanted AND NOT is_large THEN payload_order END,
               CASE WHEN is_wanted AND NOT is_large THEN outputs_order END
        FROM (
            SELECT x.*, id = ANY(%(with_data)s::uuid[]) AS is_wanted, {DATA_SIZE} AS size,
                   COALESCE({DATA_SIZE} > %(most)s, false) AS is_large
            FROM orchestrator.workflow_executions x WHERE id = ANY(%(ids)s::uuid[]) AND status = 'RUNNING'
        ) sized
        """,  # noqa: S608  (names of columns)
        {"ids": _texts(execution_ids), "with_data": _texts(with_data), "most": most_bytes},
        execution_options=PREPARED,
    )
    return {row[0]: RunningExecution(*restore_row(row, 4, 5)) for row in rows}


@dataclass(frozen=True, slots=True)
class RecordedOutputs:
    """The outputs that an execution has recorded, by step key, and the version whose steps they belong to."""

    outputs: JsonObject
    version_id: UUID | None


def recorded_outputs(connection: Connection, execution_ids: Iterable[UUID]) -> dict[UUID, RecordedOutputs]:
    """Returns the outputs of the workflow's own frame, by execution."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, COALESCE(step_outputs, '{}'), version_id, outputs_order FROM orchestrator.workflow_executions
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(execution_ids)},
    )
    return {row[0]: RecordedOutputs(*restore_row(row[1:], 0)) for row in rows}


@dataclass(frozen=True, slots=True)
class Origin:
    """The owner of an execution, and the version whose steps it does."""

    user_id: UUID
    version_id: UUID | None


def origins(connection: Connection, execution_ids: Iterable[UUID]) -> dict[UUID, Origin]:
    """Returns those of executions that there are, whatever their status."""
    rows = connection.exec_driver_sql(
        "SELECT id, user_id, version_id FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[])",
        {"ids": _texts(execution_ids)},
    )
    return {id_: Origin(user_id, version_id) for id_, user_id, version_id in rows}


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
