"""What the polls of a trigger have seen: the rows of trigger_service.poll_states and polled_items.

They change in the transaction that accepts the events, and only where no other poll has changed them meanwhile: of two
polls that overlap one wins and the other changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from flowforge import jsonio
from flowforge.connectors.polls import Recall
from flowforge.jsonio import JsonObject
from flowforge.triggers.polling.items import Item
from flowforge.triggers.polling.poll import Overtaken

KEPT_FOR = timedelta(days=30)
"""An item that no poll has seen for so long is forgotten."""
MOST_KEPT = 100_000
"""Items that are remembered for one trigger; of more, those are forgotten that were not seen for the longest time."""
_REFRESHED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Memory:
    """A row of poll_states (flowforge.db.tables says what the fields mean); as it is here, that of no poll yet."""

    round: int = 0
    source: str = ""
    highest: Any = None
    remembered: int = 0
    polled_at: datetime | None = None
    kept: JsonObject = field(default_factory=dict)

    def recall(self, source: str) -> Recall:
        """What the action has kept; nothing where something else is asked now."""
        return Recall(self.kept) if self.source == source else Recall()


def load(connection: Connection, trigger_id: UUID) -> Memory:
    row = connection.execute(
        text("""
        SELECT round, source, highest, remembered, polled_at, kept
          FROM trigger_service.poll_states WHERE trigger_id = :trigger
        """),
        {"trigger": trigger_id},
    ).one_or_none()
    return Memory(**row._mapping) if row else Memory()


def seen_of(connection: Connection, trigger_id: UUID, items: Sequence[Item]) -> Mapping[bytes, bytes]:
    """The content of those that were seen before, as it was then, by their keys."""
    rows = connection.execute(
        text("""
        SELECT key, content FROM trigger_service.polled_items
         WHERE trigger_id = :trigger AND key = ANY(CAST(:keys AS bytea[]))
        """),
        {"trigger": trigger_id, "keys": [item.key for item in items]},
    )
    return {bytes(key): bytes(content) for key, content in rows}


def move(connection: Connection, trigger_id: UUID, memory: Memory, new: Sequence[Item], now: datetime) -> Memory:
    """Stores the memory with the new items, as the next round. Raises Overtaken where another poll has been faster."""
    moved = replace(memory, round=memory.round + 1)
    changed = connection.execute(
        text("""
        INSERT INTO trigger_service.poll_states AS state
               (trigger_id, round, source, highest, remembered, polled_at, kept)
        SELECT :trigger, :round, :source, CAST(:highest AS jsonb), 0, :polled_at, CAST(:kept AS jsonb)
         WHERE EXISTS (SELECT FROM trigger_service.trigger_registrations WHERE id = :trigger FOR KEY SHARE)
            ON CONFLICT (trigger_id) DO UPDATE
           SET round = excluded.round, source = excluded.source, highest = excluded.highest,
               polled_at = excluded.polled_at, kept = excluded.kept
         WHERE state.round = excluded.round - 1
        """),
        {
            "trigger": trigger_id,
            "round": moved.round,
            "source": moved.source,
            "highest": jsonio.dumps_for_database(moved.highest),
            "polled_at": moved.polled_at,
            "kept": jsonio.dumps_for_database(moved.kept),
        },
    ).rowcount
    if not changed:
        raise Overtaken
    return replace(moved, remembered=_remember(connection, trigger_id, new, now)) if new else moved


def tidy_up(
    connection: Connection,
    trigger_id: UUID,
    memory: Memory,
    seen: Sequence[Item],
    before: datetime | None,
    now: datetime,
) -> None:
    """Notes which items are still there, and forgets what is not: what was seen last a month before the last poll, and
    what is too much. `before`: the time of the last poll, so that a trigger that was switched off forgets nothing."""
    connection.execute(
        text("""
        UPDATE trigger_service.polled_items SET seen_at = :now
         WHERE trigger_id = :trigger AND key = ANY(CAST(:keys AS bytea[])) AND seen_at < :long_ago
        """),
        {"trigger": trigger_id, "keys": [item.key for item in seen], "now": now, "long_ago": now - _REFRESHED_AFTER},
    )
    forgotten = _forget_older(connection, trigger_id, before - KEPT_FOR) if before else 0
    forgotten += _forget_most(connection, trigger_id, memory.remembered - forgotten - MOST_KEPT)
    if forgotten:
        _count(connection, trigger_id, -forgotten)


def _remember(connection: Connection, trigger_id: UUID, items: Sequence[Item], now: datetime) -> int:
    """Returns how many are remembered now."""
    added = connection.execute(
        text("""
        WITH noted AS (
            INSERT INTO trigger_service.polled_items AS item (trigger_id, key, content, seen_at)
            SELECT :trigger, key, content, :now
              FROM unnest(CAST(:keys AS bytea[]), CAST(:contents AS bytea[])) AS found (key, content)
                ON CONFLICT (trigger_id, key) DO UPDATE SET content = excluded.content, seen_at = excluded.seen_at
            RETURNING xmax = 0 AS added
        )
        SELECT count(*) FROM noted WHERE added
        """),
        {
            "trigger": trigger_id,
            "keys": [item.key for item in items],
            "contents": [item.content for item in items],
            "now": now,
        },
    ).scalar_one()
    return _count(connection, trigger_id, added)


def _count(connection: Connection, trigger_id: UUID, more: int) -> int:
    counted: int = connection.execute(
        text("""
        UPDATE trigger_service.poll_states SET remembered = remembered + :more
         WHERE trigger_id = :trigger RETURNING remembered
        """),
        {"trigger": trigger_id, "more": more},
    ).scalar_one()
    return counted


def _forget_older(connection: Connection, trigger_id: UUID, than: datetime) -> int:
    return connection.execute(
        text("DELETE FROM trigger_service.polled_items WHERE trigger_id = :trigger AND seen_at < :than"),
        {"trigger": trigger_id, "than": than},
    ).rowcount


def _forget_most(connection: Connection, trigger_id: UUID, count: int) -> int:
    if count <= 0:
        return 0
    return connection.execute(
        text("""
        DELETE FROM trigger_service.polled_items WHERE trigger_id = :trigger AND key IN (
            SELECT key FROM trigger_service.polled_items WHERE trigger_id = :trigger ORDER BY seen_at LIMIT :count)
        """),
        {"trigger": trigger_id, "count": count},
    ).rowcount
