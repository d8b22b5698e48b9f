"""Executions that go on by a step of their own list that has succeeded, as the executor that ran it has worked out.

A batch is one statement, and commits by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from flowforge import jsonio
from flowforge.db.attempt_rows import Lease, NewAttempt
from flowforge.db.autocommit import autocommitting
from flowforge.db.engine import unavailable_when_down
from flowforge.db.prepared import PREPARED
from flowforge.execution.state import Status
from flowforge.field_order import Order, Orders


@dataclass(frozen=True, slots=True)
class GoneOn:
    """An attempt that has succeeded, and where that leads its execution."""

    execution_id: UUID
    step_index: int
    attempt: int
    began: datetime
    status: Status
    current_step: int
    outputs: Mapping[str, Any]
    """Added to those that are stored."""
    outputs_order: Orders | None
    """Of these outputs, by their names."""
    result: Mapping[str, Any] | None
    """{value}"""
    result_order: Order | None
    finished: bool
    attempts: Sequence[NewAttempt]
    """Those that follow; the executor claims those that are RUNNING, and begins at once those of them that neither need
    care nor wait."""


def go_on(engine: Engine, lease: Lease, gone_on: Sequence[GoneOn]) -> dict[UUID, bool]:
    """Takes the results of attempts that the executor of the lease still has. Returns by execution whether it went on:
    one that was over by then does not. Executions that are not returned are as they were. Raises Unavailable.

    They are locked in the order of their ids, like those that are cancelled together (flowforge.db.ending_store).
    """
    in_order = sorted(gone_on, key=lambda one: one.execution_id)
    with unavailable_when_down(), autocommitting(engine) as connection:
        rows = connection.exec_driver_sql(
            """
            WITH rows AS MATERIALIZED (
                SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                    execution_id uuid, step_index int, attempt int, began timestamptz, status text, current_step int,
                    outputs jsonb, outputs_order jsonb, result jsonb, result_order jsonb, finished boolean,
                    attempts jsonb)
            ), applied AS (
                UPDATE orchestrator.step_attempts a
                SET state = 'APPLIED', succeeded = true, lease_owner = NULL, lease_until = NULL, lapsed_at = NULL,
                    finished_at = now(), started_at = COALESCE(a.started_at, r.began),
                    claims = a.claims + CASE WHEN a.started_at IS NULL THEN 1 ELSE 0 END
                FROM rows r
                WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = 0
                    AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
                RETURNING a.execution_id
            ), gone_on AS (
                UPDATE orchestrator.workflow_executions x
                SET status = r.status, current_step = r.current_step, updated_at = now(),
                    step_outputs = COALESCE(x.step_outputs, '{}') || r.outputs,
                    outputs_order = COALESCE(x.outputs_order || r.outputs_order, r.outputs_order, x.outputs_order),
                    result = COALESCE(r.result, x.result), result_order = COALESCE(r.result_order, x.result_order),
                    finished_at = CASE WHEN r.finished THEN now() END
                FROM rows r JOIN applied USING (execution_id)
                WHERE x.id = r.execution_id AND x.status = 'RUNNING' AND x.current_step = r.step_index
                RETURNING x.id
            ), following AS (
                INSERT INTO orchestrator.step_attempts
                    (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, started_at,
                     waiting, fails_after_crash, claims, lease_owner, lease_until)
                SELECT g.id, n.step_index, n.iteration, n.attempt, n.workflow_id, n.state, COALESCE(n.due_at, now()),
                       CASE WHEN n.due_at IS NULL THEN now() END,
                       CASE WHEN n.state = 'WAITING' OR c.begins THEN now() END, n.waiting, n.fails_after_crash,
                       CASE WHEN c.begins THEN 1 ELSE 0 END, CASE WHEN n.state = 'RUNNING' THEN %(owner)s END,
                       CASE WHEN n.state = 'RUNNING' THEN now() + make_interval(secs => %(lease)s) END
                FROM gone_on g JOIN rows r ON r.execution_id = g.id
                CROSS JOIN LATERAL jsonb_to_recordset(r.attempts) AS n(
                    step_index int, iteration int, attempt int, workflow_id uuid, state text, due_at timestamptz,
                    waiting jsonb, fails_after_crash boolean, waits boolean)
                CROSS JOIN LATERAL (
                    SELECT n.state = 'RUNNING' AND n.fails_after_crash IS NOT TRUE AND n.waits IS NOT TRUE
                ) AS c(begins)
            )
            SELECT applied.execution_id, gone_on.id IS NOT NULL
            FROM applied LEFT JOIN gone_on ON gone_on.id = applied.execution_id
            """,
            {"rows": jsonio.dumps_for_database(in_order), "owner": lease.owner, "lease": lease.seconds},
            execution_options=PREPARED,
        )
        return {row[0]: row[1] for row in rows}
