"""Limits of workflows: who runs, who waits, and who is next.

An execution that a limit holds back is PENDING. It waits for a place among those of its concurrency key (`begin_at` is
NO_PLACE); then, with its place, for a turn of its workflow's rate limit (`begin_at` is an earlier time).

Decisions about one key, or about the turns of one workflow, are made one after another, under advisory locks that end
with the transaction. A transaction takes them once and in this order: keys, workflows, and only then rows of
executions. So no two can wait for each other, and one that only ends executions takes none. The partial indexes of
migration 0011 repeat the conditions below, and no other index has them: nothing here reads a queue as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio

NO_PLACE = datetime(9999, 1, 1, tzinfo=UTC)
"""As a time to begin: when another execution of the key is over."""

_NO_PLACE = "'9999-01-01 00:00:00+00'::timestamptz"
IS_PLACED = f"x.status IN ('PENDING', 'RUNNING') AND x.begin_at IS DISTINCT FROM {_NO_PLACE}"
"""It runs, or will as soon as its turn has come."""
LACKS_PLACE = f"x.begin_at = {_NO_PLACE}"
LACKS_TURN = f"x.begin_at < {_NO_PLACE}"
"""Only what is PENDING has a time to begin."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The executions of one concurrency key."""

    placed: int = 0
    """How many have a place."""
    next_version: UUID | None = None
    """The version of the oldest one that waits for a place; None where nobody does."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one workflow's rate limit."""

    begun: Sequence[tuple[float, int]]
    """(when, how many) of those that were taken last."""
    awaited: bool
    next_version: UUID | None
    """The version of the oldest execution that waits for a turn; None where nobody does."""
    asked_at: float
    """The time of this transaction."""
    now: float
    """The time of this answer: later, where it had to wait for the lock."""


def lock_keys(connection: Connection, keys: Iterable[str]) -> None:
    """In one order, so that two processes cannot wait for each other."""
    _lock(connection, set(keys))


def lock_turns(connection: Connection, workflow_ids: Iterable[UUID]) -> None:
    """The same for rate limits; after the keys, never before them."""
    _lock(connection, {f"turns:{id_}" for id_ in workflow_ids})


def _lock(connection: Connection, names: set[str]) -> None:
    if not names:
        return
    connection.exec_driver_sql(
        """
        SELECT pg_advisory_xact_lock(hashtextextended(n.name, 0))
        FROM (SELECT unnest(%(names)s::text[]) AS name ORDER BY 1) n
        """,
        {"names": list(names)},
    )


def queues(connection: Connection, keys: Sequence[str]) -> dict[str, Queue]:
    """Exact as long as the caller holds the locks of the keys."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT k.key,
            (SELECT count(*) FROM orchestrator.workflow_executions x
             WHERE x.concurrency_key = k.key AND {IS_PLACED}),
            (SELECT x.version_id FROM orchestrator.workflow_executions x
             WHERE x.concurrency_key = k.key AND {LACKS_PLACE} ORDER BY x.created_at, x.id LIMIT 1)
        FROM (SELECT DISTINCT unnest(%(keys)s::text[]) AS key) k
        """,  # noqa: S608  (conditions of ours)
        {"keys": list(keys)},
    )
    return {row[0]: Queue(row[1], row[2]) for row in rows}


def awaited_keys(connection: Connection, *, after: str, limit: int) -> list[str]:
    """Keys whose executions wait for a place, in their order, from `after` on. Jumps from key to key."""
    rows = connection.exec_driver_sql(
        f"""
        WITH RECURSIVE k(key) AS (
            (SELECT x.concurrency_key FROM orchestrator.workflow_executions x
             WHERE {LACKS_PLACE} AND x.concurrency_key > %(after)s ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT x.concurrency_key FROM orchestrator.workflow_executions x
                    WHERE {LACKS_PLACE} AND x.concurrency_key > k.key ORDER BY 1 LIMIT 1)
            FROM k WHERE k.key IS NOT NULL
        )
        SELECT key FROM k WHERE key IS NOT NULL LIMIT %(limit)s
        """,  # noqa: S608
        {"after": after, "limit": limit},
    )
    return [row[0] for row in rows]


def lock_oldest_placed(connection: Connection, how_many: Mapping[str, int]) -> list[UUID]:
    """So many executions of each key, the oldest of those that have a place; what ends meanwhile is left out."""
    rows = connection.exec_driver_sql(
        f"""
        WITH oldest AS MATERIALIZED (
            SELECT o.id FROM unnest(%(keys)s::text[], %(counts)s::int[]) AS k(key, count)
            CROSS JOIN LATERAL (
                SELECT x.id FROM orchestrator.workflow_executions x
                WHERE x.concurrency_key = k.key AND {IS_PLACED} ORDER BY x.created_at, x.id LIMIT k.count) o
        )
        SELECT x.id FROM orchestrator.workflow_executions x
        WHERE x.id IN (SELECT id FROM oldest) AND {IS_PLACED} ORDER BY x.id FOR UPDATE
        """,  # noqa: S608
        {"keys": list(how_many), "counts": list(how_many.values())},
    )
    return [row[0] for row in rows]


def turns(connection: Connection, workflow_ids: Sequence[UUID]) -> dict[UUID, Turns]:
    """Exact as long as the caller holds the locks of the workflows."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT w.id, COALESCE(t.begun, '[]'), COALESCE(t.awaited, false),
            (SELECT x.version_id FROM orchestrator.workflow_executions x
             WHERE x.workflow_id = w.id AND {LACKS_TURN} ORDER BY x.created_at, x.id LIMIT 1),
            extract(epoch FROM now())::float8, extract(epoch FROM clock_timestamp())::float8
        FROM unnest(%(ids)s::uuid[]) AS w(id) LEFT JOIN orchestrator.rate_turns t ON t.workflow_id = w.id
        """,  # noqa: S608
        {"ids": [str(id_) for id_ in workflow_ids]},
    )
    return {row[0]: Turns([(at, count) for at, count in row[1]], *row[2:]) for row in rows}


def keep_turns(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """A row: workflow_id, begun, taken_until, awaited."""
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.rate_turns AS t (workflow_id, begun, taken_until, awaited)
        SELECT r.workflow_id, r.begun, r.taken_until, r.awaited FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            workflow_id uuid, begun jsonb, taken_until timestamptz, awaited boolean)
        ON CONFLICT (workflow_id) DO UPDATE
        SET begun = excluded.begun, taken_until = excluded.taken_until, awaited = excluded.awaited
        """,
        {"rows": jsonio.dumps_for_database(rows)},
    )


def awaited_turns(connection: Connection, *, within: float, limit: int) -> dict[UUID, float]:
    """Workflow -> in how many seconds a turn is free that somebody waits for; those that are so `within` seconds."""
    rows = connection.exec_driver_sql(
        """
        SELECT workflow_id, extract(epoch FROM taken_until - now())::float8 FROM orchestrator.rate_turns
        WHERE awaited AND taken_until <= now() + make_interval(secs => %(within)s)
        ORDER BY taken_until LIMIT %(limit)s
        """,
        {"within": within, "limit": limit},
    )
    return {row[0]: row[1] for row in rows}


def put_off(connection: Connection, begin_at: Mapping[UUID, datetime]) -> None:
    """Executions that have a place now, and wait for a turn."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.workflow_executions x SET begin_at = r.begin_at
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, begin_at timestamptz) WHERE x.id = r.id
        """,
        {"rows": jsonio.dumps([{"id": id_, "begin_at": at} for id_, at in begin_at.items()]).decode()},
    )
