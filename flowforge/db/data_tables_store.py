"""Data tables: finding and locking them, and the room that they take of their account's quotas.

Whoever changes rows holds the table's lock: counts are exact, and no two writers wait for each other's rows. The caller
owns the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from flowforge.data_tables.columns import Column
from flowforge.data_tables.shape import Shape
from flowforge.db.refused_work import seconds_until_tomorrow
from flowforge.errors import Conflict, OverQuota
from flowforge.sentences import Count, sentence

MOST_ROWS = 1_000_000
"""Of one table."""
REMEMBERED_BYTES = 100
"""What a remembered key counts for."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of an account. `expire_after`: days after which new rows expire, where nothing else is said."""

    id: UUID
    user_id: UUID
    name: str
    shape: Shape
    expire_after: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of every account, unless its own row in `auth.quotas` says otherwise; 0: any number."""

    rows: int
    bytes: int


def find(connection: Connection, user_id: UUID, name: str) -> FoundTable | None:
    return _find(connection, "name = :wanted", user_id, name, lock=False)


def find_by_id(connection: Connection, user_id: UUID, id_: UUID, *, lock: bool = False) -> FoundTable | None:
    return _find(connection, "id = :wanted", user_id, id_, lock=lock)


def names(connection: Connection, user_id: UUID) -> list[str]:
    mine = "SELECT name FROM data_tables.tables WHERE user_id = :owner AND deleted_at IS NULL ORDER BY name"
    return list(connection.scalars(text(mine), {"owner": user_id}))


def take_room(connection: Connection, table: FoundTable, rows: int, size: int, limits: Limits) -> None:
    """Counts so many more rows and bytes, or fewer. Raises Conflict for a full table, and OverQuota."""
    if not rows and not size:
        return
    count = connection.scalar(
        text("""
        UPDATE data_tables.tables SET row_count = row_count + :rows, bytes = bytes + :size
         WHERE id = :id RETURNING row_count
        """),
        {"id": table.id, "rows": rows, "size": size},
    )
    if rows > 0 and count is not None and count > MOST_ROWS:
        raise Conflict(
            sentence(
                "a table has at most %(most)s rows, and %(name)s has %(number)s",
                most=Count(MOST_ROWS),
                name=table.name,
                number=Count(count - rows),
            )
        )
    take_room_of_account(connection, table.user_id, rows, size, limits)


def take_room_of_account(connection: Connection, owner: UUID, rows: int, size: int, limits: Limits) -> None:
    """Counts them for the account alone. Raises OverQuota."""
    found = connection.execute(
        text("""
        UPDATE auth.users SET table_rows = greatest(0, coalesce(table_rows, 0) + :rows),
               table_bytes = greatest(0, coalesce(table_bytes, 0) + :size)
         WHERE id = :owner
        RETURNING table_rows, table_bytes,
                  coalesce((SELECT q.table_rows FROM auth.quotas q WHERE q.user_id = :owner), :most_rows),
                  coalesce((SELECT q.table_bytes FROM auth.quotas q WHERE q.user_id = :owner), :most_bytes)
        """),
        {"owner": owner, "rows": rows, "size": size, "most_rows": limits.rows, "most_bytes": limits.bytes},
    ).first()
    if found is None:
        return
    if rows > 0 and 0 < found[2] < found[0]:
        raise _over("rows", found[0] - rows, found[2])
    if size > 0 and 0 < found[3] < found[1]:
        raise _over("bytes", found[1] - size, found[3])


def hand_over(connection: Connection, owner: UUID, heir: UUID) -> None:
    """Gives an account's tables, and what it remembers, to another one."""
    both = {"owner": owner, "heir": heir}
    connection.execute(text("UPDATE data_tables.tables SET user_id = :heir WHERE user_id = :owner"), both)
    connection.execute(
        text("""
        UPDATE data_tables.remembered r
           SET user_id = :heir, scope = CASE WHEN scope = :owner THEN CAST(:heir AS uuid) ELSE scope END
         WHERE user_id = :owner AND NOT EXISTS (
               SELECT FROM data_tables.remembered o
                WHERE o.user_id = :heir AND o.scope = :heir AND r.scope = :owner AND o.digest = r.digest)
        """),
        both,
    )
    connection.execute(
        text("""
        UPDATE auth.users u SET table_rows = coalesce(u.table_rows, 0) + coalesce(o.table_rows, 0),
               table_bytes = coalesce(u.table_bytes, 0) + coalesce(o.table_bytes, 0)
          FROM auth.users o WHERE u.id = :heir AND o.id = :owner
        """),
        both,
    )


def delete_of(connection: Connection, owner: UUID) -> None:
    """Deletes all tables of an account, whose rows are deleted in the background, and what it remembers."""
    connection.execute(
        text("UPDATE data_tables.tables SET deleted_at = now(), name = CAST(id AS text) WHERE user_id = :owner"),
        {"owner": owner},
    )
    connection.execute(
        text("UPDATE data_tables.remembered SET expires_at = now() WHERE user_id = :owner"), {"owner": owner}
    )


def _find(connection: Connection, which: str, user_id: UUID, wanted: object, *, lock: bool) -> FoundTable | None:
    row = connection.execute(
        text(f"""
        SELECT id, user_id, name, columns, key_column, expire_after FROM data_tables.tables
         WHERE user_id = :owner AND {which} AND deleted_at IS NULL{" FOR NO KEY UPDATE" if lock else ""}
        """),  # noqa: S608  (one of ours)
        {"owner": user_id, "wanted": wanted},
    ).first()
    if row is None:
        return None
    shape = Shape(tuple(map(Column.read, row.columns)), row.key_column)
    return FoundTable(row.id, row.user_id, row.name, shape, row.expire_after)


def _over(what: str, used: int, most: int) -> OverQuota:
    message = f"the tables of the account have {used:,} {what}, and may have {most:,}; delete some, or let them expire"
    return OverQuota(message, seconds_until_tomorrow())
