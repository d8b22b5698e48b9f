"""Parts of the work of steps that are done, until the step ends.

The caller owns the transaction. Parts belong to a step in its frame, whichever attempt has done them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey


@dataclass(frozen=True, slots=True)
class StoredPart:
    """`items`: a list as JSON, in the order of its fields. `next`: where it goes on, sealed; None: nowhere."""

    number: int
    items: str
    next: str | None
    complete: bool


def add(connection: Connection, owner: str, key: AttemptKey, part: StoredPart) -> bool:
    """Stores a part of an attempt that the owner holds; false where it is another's by now."""
    added = connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.step_parts (execution_id, step_index, iteration, number, items, next, complete)
        SELECT a.execution_id, a.step_index, a.iteration, %(number)s, %(items)s, %(next)s, %(complete)s
        FROM orchestrator.step_attempts a
        WHERE a.execution_id = %(execution_id)s AND a.step_index = %(step_index)s AND a.iteration = %(iteration)s
            AND a.attempt = %(attempt)s AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        ON CONFLICT DO NOTHING
        """,
        {
            "owner": owner,
            "execution_id": str(key.execution_id),
            "step_index": key.step_index,
            "iteration": key.iteration,
            "attempt": key.attempt,
            "number": part.number,
            "items": part.items,
            "next": part.next,
            "complete": part.complete,
        },
    )
    return added.rowcount == 1


def parts(connection: Connection, key: AttemptKey) -> list[StoredPart]:
    """All that is done of the step, in its order."""
    rows = connection.exec_driver_sql(
        """
        SELECT number, items, next, complete FROM orchestrator.step_parts
        WHERE execution_id = %(execution_id)s AND step_index = %(step_index)s AND iteration = %(iteration)s
        ORDER BY number
        """,
        {"execution_id": str(key.execution_id), "step_index": key.step_index, "iteration": key.iteration},
    )
    return [StoredPart(*row) for row in rows]


def delete(connection: Connection, keys: Sequence[AttemptKey]) -> None:
    """Deletes the parts of steps that have ended."""
    connection.exec_driver_sql(
        """
        DELETE FROM orchestrator.step_parts p
        USING jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int)
        WHERE p.execution_id = r.execution_id AND p.step_index = r.step_index AND p.iteration = r.iteration
        """,
        {"rows": jsonio.dumps(keys).decode()},
    )
