"""Concurrency slots: how many executions of a concurrency key hold one, and which key has executions that lack one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db.held_executions_store import HAS_SLOT, LACKS_SLOT
from flowforge.db.prepared import PREPARED


@dataclass(frozen=True, slots=True)
class SlotQueue:
    """The executions of one concurrency key."""

    holders: int = 0
    """Number of executions that hold a slot."""
    next_version: UUID | None = None
    """The version of the oldest execution that lacks a slot; None where none does."""


def slot_queues(connection: Connection, keys: Sequence[str]) -> dict[str, SlotQueue]:
    """Counts by concurrency key. Exact as long as the caller holds the locks of the keys."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT k.key,
            (SELECT count(*) FROM orchestrator.workflow_executions x
             WHERE x.concurrency_key = k.key AND {HAS_SLOT}),
            (SELECT x.version_id FROM orchestrator.workflow_executions x
             WHERE x.concurrency_key = k.key AND {LACKS_SLOT} ORDER BY x.created_at, x.id LIMIT 1)
        FROM (SELECT DISTINCT unnest(%(keys)s::text[]) AS key) k
        """,  # noqa: S608  (conditions of ours)
        {"keys": list(keys)},
        execution_options=PREPARED,
    )
    return {row[0]: SlotQueue(row[1], row[2]) for row in rows}


def keys_lacking_slots(connection: Connection, *, after: str, limit: int) -> list[str]:
    """Returns keys of executions that lack a slot, in their order, from `after` on. Jumps from key to key."""
    rows = connection.exec_driver_sql(
        f"""
        WITH RECURSIVE k(key) AS (
            (SELECT x.concurrency_key FROM orchestrator.workflow_executions x
             WHERE {LACKS_SLOT} AND x.concurrency_key > %(after)s ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT x.concurrency_key FROM orchestrator.workflow_executions x
                    WHERE {LACKS_SLOT} AND x.concurrency_key > k.key ORDER BY 1 LIMIT 1)
            FROM k WHERE k.key IS NOT NULL
        )
        SELECT key FROM k WHERE key IS NOT NULL LIMIT %(limit)s
        """,  # noqa: S608
        {"after": after, "limit": limit},
        execution_options=PREPARED,
    )
    return [row[0] for row in rows]


def lock_oldest_holders(connection: Connection, how_many: Mapping[str, int]) -> list[UUID]:
    """Locks so many executions of each key, the oldest of those that hold a slot; what ends meanwhile is left out."""
    rows = connection.exec_driver_sql(
        f"""
        WITH oldest AS MATERIALIZED (
            SELECT o.id FROM unnest(%(keys)s::text[], %(counts)s::int[]) AS k(key, count)
            CROSS JOIN LATERAL (
                SELECT x.id FROM orchestrator.workflow_executions x
                WHERE x.concurrency_key = k.key AND {HAS_SLOT} ORDER BY x.created_at, x.id LIMIT k.count) o
        )
        SELECT x.id FROM orchestrator.workflow_executions x
        WHERE x.id IN (SELECT id FROM oldest) AND {HAS_SLOT} ORDER BY x.id FOR UPDATE
        """,  # noqa: S608
        {"keys": list(how_many), "counts": list(how_many.values())},
    )
    return [row[0] for row in rows]
