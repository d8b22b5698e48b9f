"""Usage of each account: counted in the background from what is new, never from history.

Events are counted on the day they were accepted, with the size of their payload; executions on the day they ended, with
the size of what they keep. Both in UTC, and in bytes as PostgreSQL stores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_ACCEPTED = """
    SELECT user_id, (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS executions,
           sum(pg_column_size(payload) + pg_column_size(metadata)) AS bytes
      FROM trigger_service.trigger_events
     WHERE created_at >= :since AND created_at < :until
     GROUP BY 1, 2
"""
_ENDED = """
    SELECT user_id, (finished_at AT TIME ZONE 'UTC')::date AS day, 0 AS executions,
           sum(coalesce(pg_column_size(trigger_payload), 0) + coalesce(pg_column_size(step_outputs), 0)
               + coalesce(pg_column_size(result), 0) + coalesce(pg_column_size(error), 0)) AS bytes
      FROM orchestrator.workflow_executions
     WHERE finished_at >= :since AND finished_at < :until
     GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that are counted by a moment of theirs, which has an index."""

    name: str
    counted: str
    first: str
    """The first such moment at or after `:since`."""


ACCEPTED = Source(
    "accepted events",
    _ACCEPTED,
    "SELECT min(created_at) FROM trigger_service.trigger_events WHERE created_at >= :since",
)
ENDED = Source(
    "ended executions",
    _ENDED,
    "SELECT min(finished_at) FROM orchestrator.workflow_executions WHERE finished_at >= :since",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of every account, unless its own row in `auth.quotas` says otherwise; 0 is no limit."""

    executions_a_day: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    workflows: int = 0
    executions_today: int = 0
    executions_last_week: int = 0
    """In the seven days before today."""
    bytes: int = 0
    file_bytes: int = 0
    table_rows: int = 0
    table_bytes: int = 0


def count_window(connection: Connection, source: Source, settled: datetime, longest: timedelta) -> bool:
    """Counts the next rows of a source, up to `longest` of their time and those before `settled`. Returns whether there
    may be more."""
    since = _position(connection, source)
    first: datetime | None = connection.execute(text(source.first), {"since": since}).scalar()
    if first is None or first >= settled:
        return False
    until = min(settled, first + longest)
    connection.execute(
        text(f"""
        INSERT INTO auth.daily_usage AS known (user_id, day, executions, bytes)
        SELECT user_id, day, executions, bytes FROM ({source.counted}) AS counted
        ON CONFLICT (user_id, day) DO UPDATE
           SET executions = known.executions + excluded.executions, bytes = known.bytes + excluded.bytes
        """),  # noqa: S608  (one of the two above)
        {"since": first, "until": until},
    )
    moved = text("UPDATE auth.usage_positions SET counted_until = :until WHERE name = :name")
    connection.execute(moved, {"name": source.name, "until": until})
    return until < settled


def note_used_up(connection: Connection, limits: Limits, today: date, kept_since: date) -> int:
    """Notes at each account the quota that it has used up, and takes the note away where that is over. Returns how many
    accounts changed."""
    return connection.execute(
        text("""
        WITH limited AS (
            SELECT u.id, u.over_quota, coalesce(q.executions_a_day, :executions) AS executions,
                   coalesce(q.bytes, :bytes) AS bytes
              FROM auth.users u LEFT JOIN auth.quotas q ON q.user_id = u.id
        ), judged AS (
            SELECT l.id, CASE
                WHEN l.executions > 0 AND l.executions <= (
                    SELECT d.executions FROM auth.daily_usage d WHERE d.user_id = l.id AND d.day = :today)
                THEN 'executions'
                WHEN l.bytes > 0 AND l.bytes <= (
                    SELECT sum(d.bytes) FROM auth.daily_usage d WHERE d.user_id = l.id AND d.day >= :kept_since)
                THEN 'bytes' END AS over_quota
              FROM limited l
             WHERE l.executions > 0 OR l.bytes > 0 OR l.over_quota IS NOT NULL
        ), lasting AS (
            SELECT id, over_quota, CASE over_quota
                WHEN 'executions' THEN CAST(:today AS timestamp) AT TIME ZONE 'UTC' + interval '1 day'
                WHEN 'bytes' THEN timestamptz '9999-01-01 00:00:00+00' END AS over_quota_until
              FROM judged
        )
        UPDATE auth.users u SET over_quota = l.over_quota, over_quota_until = l.over_quota_until
          FROM lasting l
         WHERE u.id = l.id AND (u.over_quota, u.over_quota_until) IS DISTINCT FROM (l.over_quota, l.over_quota_until)
        """),
        {"executions": limits.executions_a_day, "bytes": limits.bytes, "today": today, "kept_since": kept_since},
    ).rowcount


def usage_of(connection: Connection, user_ids: Iterable[UUID], today: date, kept_since: date) -> Mapping[UUID, Usage]:
    """Returns what these accounts use, by account."""
    rows = connection.execute(
        text("""
        SELECT u.id,
               (SELECT count(*) FROM workflow.workflows w WHERE w.user_id = u.id),
               coalesce(sum(d.executions) FILTER (WHERE d.day = :today), 0),
               coalesce(sum(d.executions) FILTER (WHERE d.day >= :week AND d.day < :today), 0),
               coalesce(sum(d.bytes) FILTER (WHERE d.day >= :kept_since), 0),
               coalesce((SELECT a.file_bytes FROM auth.users a WHERE a.id = u.id), 0),
               coalesce((SELECT a.table_rows FROM auth.users a WHERE a.id = u.id), 0),
               coalesce((SELECT a.table_bytes FROM auth.users a WHERE a.id = u.id), 0)
          FROM unnest(CAST(:ids AS uuid[])) AS u(id) LEFT JOIN auth.daily_usage d ON d.user_id = u.id
         GROUP BY u.id
        """),
        {
            "ids": [str(id_) for id_ in user_ids],
            "today": today,
            "week": today - timedelta(days=7),
            "kept_since": kept_since,
        },
    )
    return {row[0]: Usage(*(int(value) for value in row[1:])) for row in rows}


def _position(connection: Connection, source: Source) -> datetime:
    """The moment up to which a source is counted, locked, so that nobody else counts the same."""
    start = text("INSERT INTO auth.usage_positions (name, counted_until) VALUES (:name, :start) ON CONFLICT DO NOTHING")
    connection.execute(start, {"name": source.name, "start": _BEFORE_ALL})
    locked = text("SELECT counted_until FROM auth.usage_positions WHERE name = :name FOR UPDATE")
    position: datetime = connection.execute(locked, {"name": source.name}).scalar_one()
    return position
