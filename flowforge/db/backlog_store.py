"""What waits behind a backlog: events that no orchestrator has handled, of workflows that are not to blame for it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db.redelivery_store import UnhandledEvent
from flowforge.db.sizes_store import EVENT_SIZE, MOST_BYTES


def find_overtaking(
    connection: Connection, brought: Collection[UUID], limit: int, most_waiting: int
) -> list[UnhandledEvent]:
    """Returns the events that are to go first, without payloads and metadata: those of the accounts and workflows that
    have the fewest waiting: at most `limit`, and of at most MOST_BYTES together; the first of them may have more of
    its own. None of workflows that have a backlog themselves: more than `most_waiting` events, or, of those that
    the bus has `brought`, more than `limit`. Those of one workflow come in the order in which they were accepted.
    It takes time in proportion to all that waits."""
    rows = connection.exec_driver_sql(
        f"""
        WITH waiting AS MATERIALIZED (
            SELECT id, workflow_id, user_id, created_at FROM trigger_service.trigger_events WHERE handled_at IS NULL
        ), backlog AS (
            SELECT workflow_id, user_id, count(*) AS events, sum(count(*)) OVER (PARTITION BY user_id) AS of_account
            FROM waiting GROUP BY workflow_id, user_id
        ), first AS (
            SELECT id, row_number() OVER (ORDER BY of_account, events, created_at, id) AS place
            FROM waiting JOIN backlog USING (workflow_id, user_id)
            WHERE events <= CASE WHEN workflow_id = ANY(%(brought)s::uuid[]) THEN %(limit)s ELSE %(most_waiting)s END
            ORDER BY place LIMIT %(limit)s
        )
        SELECT id, trigger_id, workflow_id, user_id, trigger_type, created_at,
               '{{}}'::jsonb AS metadata, NULL AS payload, size
        FROM (
            SELECT e.*, place, {EVENT_SIZE} AS size, sum({EVENT_SIZE}) OVER (ORDER BY place) AS size_so_far
            FROM first JOIN trigger_service.trigger_events e USING (id)
        ) sized WHERE size_so_far <= %(most)s OR place = 1 ORDER BY place
        """,  # noqa: S608  (names of columns)
        {
            "brought": [str(id_) for id_ in brought],
            "limit": limit,
            "most_waiting": most_waiting,
            "most": MOST_BYTES,
        },
    )
    return [UnhandledEvent(*row) for row in rows]
