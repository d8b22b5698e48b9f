"""Keeping files and reading them: the one way to their contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import UUID

from flowforge.db import files_store
from flowforge.db.engine import Connection, Engine, transaction
from flowforge.db.files_store import Found
from flowforge.errors import NotFound, TooLarge
from flowforge.file_values import StoredFile, tidy_name, tidy_type
from flowforge.files.object_store import ObjectMissing, ObjectStore, sha256_of
from flowforge.ids import uuid7
from flowforge.sentences import joined, sentence

DeleteUses = Callable[[Connection, datetime, int], list[UUID]]
_MISSING = sentence("the content of the file is not in the store of files")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bytes."""

    each: int
    """Of one file."""
    account: int
    """Of all files of an account that has no quota of its own; 0: any number."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that may be read."""

    file: StoredFile
    owner: UUID
    _key: UUID
    _store: ObjectStore

    def pieces(self) -> Iterator[bytes]:
        """The content; what is held of it at once does not grow with its size. Raises NotFound, Unavailable."""
        try:
            with self._store.open(self._key) as pieces:
                yield from pieces
        except ObjectMissing as error:
            raise NotFound(joined(": ", [_MISSING, self.file.name])) from error


class Files:
    """Safe to share between threads."""

    def __init__(self, engine: Engine, store: ObjectStore, limits: FileLimits) -> None:
        self.limits = limits
        self._engine = engine
        self._store = store

    def keep(self, source: IO[bytes], name: str, type_: str, *, owner: UUID, holder: UUID) -> StoredFile:
        """Keeps the whole of a file that can be read again and again (`seek`), for the event or execution `holder`.

        Raises TooLarge, OverQuota, Unavailable.
        """
        file = self._described(source, name, type_)
        if not self._add(file, owner, holder):
            key = uuid7()
            with transaction(self._engine) as connection:
                files_store.note_unreferenced(connection, key)
            source.seek(0)
            self._store.write(key, source, file.size)
            self._add(file, owner, holder, key)
        return file

    def discard(self, holder: UUID) -> None:
        """Deletes the files that were kept for an event which did not come to be."""
        with transaction(self._engine) as connection:
            files_store.drop_files(connection, files_store.delete_uses_of(connection, [holder]))

    def of_execution(self, file_id: UUID, execution_id: UUID) -> KeptFile:
        """A file that this execution has made, or that came in with its event. Raises NotFound."""
        with transaction(self._engine) as connection:
            return self._kept(files_store.find_of_execution(connection, file_id, execution_id))

    def of_event(self, file_id: UUID, event_id: UUID) -> KeptFile:
        """A file that came in with this event, or was made by its execution. Raises NotFound."""
        with transaction(self._engine) as connection:
            return self._kept(files_store.find_of_event(connection, file_id, event_id))

    def of_owner(self, file_id: UUID, owner: UUID) -> KeptFile:
        """Raises NotFound."""
        with transaction(self._engine) as connection:
            return self._kept(files_store.find_of_owner(connection, file_id, owner))

    def by_link(self, file_id: UUID) -> KeptFile:
        """The file that a link is about whose signature is right. Raises NotFound."""
        with transaction(self._engine) as connection:
            return self._kept(files_store.find(connection, file_id))

    def delete_unused(self, before: datetime, rows: int) -> int:
        """Deletes files from before that time whose events and executions are all gone; returns how many uses of them
        were looked at, at most so many."""
        return self._delete_unused(files_store.delete_dead_uses, before, rows)

    def delete_of_removed_accounts(self, before: datetime, rows: int) -> int:
        """The same for accounts that were removed before that time."""
        return self._delete_unused(files_store.delete_uses_of_removed_accounts, before, rows)

    def delete_unreferenced(self, before: datetime, rows: int) -> int:
        """Deletes contents that nothing has referred to since that time: those of deleted files, and those whose
        writing was never completed. Returns how many, at most so many."""
        with transaction(self._engine) as connection:
            keys = files_store.unreferenced_objects(connection, before, rows)
        for key in keys:
            self._store.delete(key)
        with transaction(self._engine) as connection:
            files_store.forget_objects(connection, keys)
        return len(keys)

    def _delete_unused(self, delete_uses: DeleteUses, before: datetime, rows: int) -> int:
        with transaction(self._engine) as connection:
            file_ids = delete_uses(connection, before, rows)
            files_store.drop_files(connection, file_ids)
        return len(file_ids)

    def _described(self, source: IO[bytes], name: str, type_: str) -> StoredFile:
        """Raises TooLarge."""
        size = source.seek(0, 2)
        if size > self.limits.each:
            raise TooLarge(
                sentence("a file has %(size)s bytes; the limit is %(each)s", size=size, each=self.limits.each)
            )
        return StoredFile(uuid7(), tidy_name(name), tidy_type(type_), size, sha256_of(source))

    def _add(self, file: StoredFile, owner: UUID, holder: UUID, key: UUID | None = None) -> bool:
        with transaction(self._engine) as connection:
            is_added = files_store.add(connection, file, owner, holder, key)
            if is_added:
                files_store.take_room(connection, owner, file.size, self.limits.account)
        return is_added

    def _kept(self, found: Found | None) -> KeptFile:
        if found is None:
            raise NotFound(sentence("there is no such file, or it is not kept any more"))
        return KeptFile(found.file, found.owner, found.object_key, self._store)
