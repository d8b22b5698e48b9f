"""Files: their rows, the contents that they share, and who refers to them.

A content counts the files that have it; with none it is deleted, and its object in the store becomes unreferenced, as
it is while it is being written. So whatever a process leaves half done is found by one rule: an object that has been
unreferenced for long is deleted. The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from flowforge.db.refused_work import seconds_until_tomorrow
from flowforge.errors import OverQuota
from flowforge.file_values import StoredFile
from flowforge.sentences import Count, sentence

_OF_EXECUTION = """
    u.holder_id = :execution_id
    OR u.holder_id = (SELECT event_id FROM orchestrator.workflow_executions WHERE id = :execution_id)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and the name of its content in the store."""

    file: StoredFile
    owner: UUID
    object_key: UUID


def note_unreferenced(connection: Connection, key: UUID) -> None:
    """Notes an object that is about to be written."""
    connection.execute(text("INSERT INTO files.unreferenced (object_key) VALUES (:key)"), {"key": key})


def add(connection: Connection, file: StoredFile, owner: UUID, holder: UUID, key: UUID | None = None) -> bool:
    """Adds a file whose content is in the store: as the object `key`, or as that of another file with the same content.
    False where there is no such other file."""
    if key is not None:
        _refer(connection, file.sha256, key)
    elif not _refer_again(connection, file.sha256):
        return False
    connection.execute(
        text("""
        INSERT INTO files.files (id, user_id, name, type, size, sha256)
        VALUES (:id, :owner, :name, :type, :size, :sha256)
        """),
        {**_values(file), "owner": owner},
    )
    note_uses(connection, holder, [file.id])
    return True


def take_room(connection: Connection, owner: UUID, size: int, most: int) -> None:
    """Counts so many more bytes for an account; `most` (0: any number) counts where the account has no quota of its
    own. Raises OverQuota."""
    row = connection.execute(
        text("""
        UPDATE auth.users SET file_bytes = coalesce(file_bytes, 0) + :size WHERE id = :owner
        RETURNING file_bytes, coalesce((SELECT q.file_bytes FROM auth.quotas q WHERE q.user_id = :owner), :most)
        """),
        {"owner": owner, "size": size, "most": most},
    ).first()
    if row is not None and 0 < row[1] < row[0]:
        raise OverQuota(
            sentence(
                "the files of the account have %(bytes)s bytes, and may have %(most)s;"
                " those of executions that are deleted when they are old make room",
                bytes=Count(row[0] - size),
                most=Count(row[1]),
            ),
            seconds_until_tomorrow(),
        )


def find_of_execution(connection: Connection, file_id: UUID, execution_id: UUID) -> Found | None:
    """A file that an execution or its event holds."""
    held = f"EXISTS (SELECT FROM files.uses u WHERE u.file_id = f.id AND ({_OF_EXECUTION}))"
    return _find(connection, file_id, held, execution_id=execution_id)


def find_of_event(connection: Connection, file_id: UUID, event_id: UUID) -> Found | None:
    """A file that an event or its execution holds."""
    held = """EXISTS (SELECT FROM files.uses u WHERE u.file_id = f.id AND (u.holder_id = :event_id OR u.holder_id IN (
        SELECT id FROM orchestrator.workflow_executions WHERE event_id = :event_id)))"""
    return _find(connection, file_id, held, event_id=event_id)


def find_of_owner(connection: Connection, file_id: UUID, owner: UUID) -> Found | None:
    return _find(connection, file_id, "f.user_id = :owner", owner=owner)


def find(connection: Connection, file_id: UUID) -> Found | None:
    """A file, whoever asks: for links that are signed."""
    return _find(connection, file_id, "true")


def note_uses(connection: Connection, holder: UUID, file_ids: Collection[UUID]) -> None:
    connection.execute(
        text("""
        INSERT INTO files.uses (holder_id, file_id) SELECT :holder, unnest(CAST(:ids AS uuid[]))
        ON CONFLICT DO NOTHING
        """),
        {"holder": holder, "ids": [str(id_) for id_ in file_ids]},
    )


def pass_on(connection: Connection, holder: UUID, file_ids: Collection[UUID], execution_id: UUID) -> None:
    """Lets another event or execution use files that this execution may use."""
    connection.execute(
        text(f"""
        INSERT INTO files.uses (holder_id, file_id)
        SELECT DISTINCT CAST(:holder AS uuid), u.file_id FROM files.uses u
         WHERE u.file_id = ANY(CAST(:ids AS uuid[])) AND ({_OF_EXECUTION})
        ON CONFLICT DO NOTHING
        """),  # noqa: S608  (an expression of ours)
        {"holder": holder, "ids": [str(id_) for id_ in file_ids], "execution_id": execution_id},
    )


def lend(connection: Connection, holder: UUID, file_ids: Collection[UUID], owner: UUID) -> None:
    """Lets an event use files of an account."""
    connection.execute(
        text("""
        INSERT INTO files.uses (holder_id, file_id)
        SELECT :holder, id FROM files.files WHERE id = ANY(CAST(:ids AS uuid[])) AND user_id = :owner
        ON CONFLICT DO NOTHING
        """),
        {"holder": holder, "ids": [str(id_) for id_ in file_ids], "owner": owner},
    )


def hand_over(connection: Connection, owner: UUID, heir: UUID) -> None:
    """Gives an account's files to another one."""
    both = {"owner": owner, "heir": heir}
    connection.execute(text("UPDATE files.files SET user_id = :heir WHERE user_id = :owner"), both)
    connection.execute(
        text("""
        UPDATE auth.users SET file_bytes = coalesce(file_bytes, 0)
               + (SELECT coalesce(max(o.file_bytes), 0) FROM auth.users o WHERE o.id = :owner)
         WHERE id = :heir
        """),
        both,
    )


def drop_files(connection: Connection, file_ids: Collection[UUID]) -> int:
    """Deletes those of the files that nobody refers to any more, and their contents where no other file has them;
    returns how many files."""
    ids = {"ids": [str(id_) for id_ in file_ids]}
    connection.execute(text("SELECT FROM files.files WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"), ids)
    dropped = connection.execute(
        text("""
        DELETE FROM files.files f WHERE f.id = ANY(CAST(:ids AS uuid[]))
           AND NOT EXISTS (SELECT FROM files.uses u WHERE u.file_id = f.id)
        RETURNING f.user_id, f.sha256, f.size
        """),
        ids,
    ).all()
    gone = {
        "owners": [str(row.user_id) for row in dropped],
        "contents": [row.sha256 for row in dropped],
        "sizes": [row.size for row in dropped],
    }
    for statement in (_UNREFER, _DROP_CONTENTS, _GIVE_ROOM_BACK):  # in the order in which `add` and `take_room` lock
        connection.execute(text(statement), gone)
    return len(dropped)


def delete_dead_uses(connection: Connection, before: datetime, limit: int) -> list[UUID]:
    """Deletes uses from before that time whose events and executions are gone, at most so many; returns the ids of
    their files."""
    rows = connection.execute(text(_DEAD_USES.format(old="u.since < :before")), {"before": before, "rows": limit})
    return list(rows.scalars())


def delete_uses_of(connection: Connection, holders: Collection[UUID]) -> list[UUID]:
    """Deletes what events or executions hold; returns the ids of the files."""
    statement = text("DELETE FROM files.uses WHERE holder_id = ANY(CAST(:holders AS uuid[])) RETURNING file_id")
    return list(connection.execute(statement, {"holders": [str(holder) for holder in holders]}).scalars())


def delete_uses_of_removed_accounts(connection: Connection, before: datetime, limit: int) -> list[UUID]:
    """Deletes the uses of files whose accounts were removed before that time, however new, where their events and
    executions are gone; at most so many. Returns the ids of the files."""
    removed = "f.user_id IN (SELECT user_id FROM auth.removed_accounts WHERE removed_at < :before)"
    rows = connection.execute(text(_DEAD_USES.format(old=removed)), {"before": before, "rows": limit})
    return list(rows.scalars())


def unreferenced_objects(connection: Connection, before: datetime, limit: int) -> list[UUID]:
    """Objects that nothing has referred to since that time."""
    statement = text("SELECT object_key FROM files.unreferenced WHERE since < :before ORDER BY since LIMIT :rows")
    return list(connection.scalars(statement, {"before": before, "rows": limit}))


def forget_objects(connection: Connection, keys: Sequence[UUID]) -> None:
    """Forgets objects that the store has deleted."""
    statement = text("DELETE FROM files.unreferenced WHERE object_key = ANY(CAST(:keys AS uuid[]))")
    connection.execute(statement, {"keys": [str(key) for key in keys]})


_DEAD_USES = """
    DELETE FROM files.uses WHERE (holder_id, file_id) IN (
        SELECT u.holder_id, u.file_id FROM files.uses u JOIN files.files f ON f.id = u.file_id
         WHERE {old}
           AND NOT EXISTS (SELECT FROM trigger_service.trigger_events e WHERE e.id = u.holder_id)
           AND NOT EXISTS (SELECT FROM orchestrator.workflow_executions x WHERE x.id = u.holder_id)
           AND NOT EXISTS (SELECT FROM orchestrator.workflow_executions x WHERE x.event_id = u.holder_id)
         LIMIT :rows)
    RETURNING file_id
"""
_GIVE_ROOM_BACK = """
    UPDATE auth.users SET file_bytes = greatest(0, coalesce(file_bytes, 0) - gone.bytes)
      FROM (SELECT owner, sum(size) AS bytes
              FROM unnest(CAST(:owners AS uuid[]), CAST(:sizes AS bigint[])) AS f(owner, size) GROUP BY owner) gone
     WHERE auth.users.id = gone.owner
"""
_UNREFER = """
    UPDATE files.contents c SET files = c.files - gone.files
      FROM (SELECT sha256, count(*) AS files FROM unnest(CAST(:contents AS text[])) AS f(sha256) GROUP BY sha256) gone
     WHERE c.sha256 = gone.sha256
"""
_DROP_CONTENTS = """
    WITH dropped AS (
        DELETE FROM files.contents WHERE files = 0 AND sha256 = ANY(CAST(:contents AS text[])) RETURNING object_key
    )
    INSERT INTO files.unreferenced (object_key) SELECT object_key FROM dropped
"""


def _refer_again(connection: Connection, sha256: str) -> bool:
    statement = text("UPDATE files.contents SET files = files + 1 WHERE sha256 = :sha256")
    return bool(connection.execute(statement, {"sha256": sha256}).rowcount)


def _refer(connection: Connection, sha256: str, key: UUID) -> None:
    """Where another process was faster, its object counts, and ours stays unreferenced."""
    kept = connection.execute(
        text("""
        INSERT INTO files.contents (sha256, object_key, files) VALUES (:sha256, :key, 1)
        ON CONFLICT (sha256) DO UPDATE SET files = contents.files + 1 RETURNING object_key
        """),
        {"sha256": sha256, "key": key},
    ).scalar_one()
    if kept == key:
        forget_objects(connection, [key])


def _find(connection: Connection, file_id: UUID, condition: str, **values: UUID) -> Found | None:
    row = connection.execute(
        text(f"""
        SELECT f.id, f.name, f.type, f.size, f.sha256, f.user_id, c.object_key
          FROM files.files f JOIN files.contents c ON c.sha256 = f.sha256 WHERE f.id = :file_id AND {condition}
        """),  # noqa: S608  (a condition of ours)
        {"file_id": file_id, **values},
    ).first()
    return None if row is None else Found(StoredFile(*row[:5]), row.user_id, row.object_key)


def _values(file: StoredFile) -> dict[str, object]:
    return {"id": file.id, "name": file.name, "type": file.type, "size": file.size, "sha256": file.sha256}
