"""Files are kept once by content, counted for their accounts, read by what holds them, and deleted with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, text

from flowforge.db import files_store
from flowforge.db.tables import ExecutionRow, TriggerEventRow, User
from flowforge.engine import pruning
from flowforge.errors import NotFound, OverQuota, TooLarge
from flowforge.file_values import StoredFile, read_file
from flowforge.files.files import FileLimits, Files
from flowforge.files.stores.folder import FolderStore
from flowforge.ids import uuid7
from flowforge.wiring import Backends

PDF = b"%PDF-1.7\n" + bytes(range(256))
LONG_AGO = timedelta(days=91)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "files"


@pytest.fixture
def files(backends: Backends) -> Files:
    return backends.files


@pytest.fixture
def owner(engine: Engine) -> UUID:
    id_ = uuid7()
    with engine.begin() as connection:
        connection.execute(insert(User).values(id=id_, username="ada", email="ada@example.test", password="x"))
    return id_


def keep(
    files: Files, owner: UUID, holder: UUID | None = None, content: bytes = PDF, name: str = "a.pdf"
) -> StoredFile:
    return files.keep(BytesIO(content), name, "application/pdf", owner=owner, holder=holder or uuid7())


def stored_objects(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def rows(engine: Engine, what: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(what)).scalar()


def execution(engine: Engine, owner: UUID, event_id: UUID | None = None, **more: Any) -> UUID:
    values = {"id": uuid7(), "workflow_id": uuid7(), "user_id": owner, "status": "COMPLETED", "current_step": 0, **more}
    with engine.begin() as connection:
        connection.execute(insert(ExecutionRow).values(event_id=event_id, **values))
    return values["id"]


def event(engine: Engine, owner: UUID, created_at: datetime | None = None) -> UUID:
    id_, moment = uuid7(), created_at or datetime.now(UTC)
    values = {"workflow_id": uuid7(), "user_id": owner, "trigger_type": "webhook", "payload": {}, "metadata": {}}
    with engine.begin() as connection:
        connection.execute(insert(TriggerEventRow).values(id=id_, created_at=moment, handled_at=moment, **values))
    return id_


def grow_old(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE files.uses SET since = since - interval '91 days'"))
        connection.execute(text("UPDATE files.unreferenced SET since = since - interval '91 days'"))


class TestKeeping:
    def test_a_file_is_described_by_its_content(self, files: Files, owner: UUID) -> None:
        kept = keep(files, owner, name="C:\\scans\\bill.pdf")
        assert kept.as_json() == {
            "id": f"file_{kept.id.hex}",
            "name": "bill.pdf",
            "type": "application/pdf",
            "size": 265,
            "sha256": hashlib.sha256(PDF).hexdigest(),
        }
        assert b"".join(files.of_owner(kept.id, owner).pieces()) == PDF
        assert read_file(kept.as_json()) == kept

    def test_a_content_is_stored_once(self, files: Files, owner: UUID, folder: Path) -> None:
        first, second = keep(files, owner), keep(files, owner, name="copy.pdf")
        assert first.id != second.id
        assert stored_objects(folder) == [PDF]

    def test_nobody_else_on_the_machine_may_read_it(self, files: Files, owner: UUID, folder: Path) -> None:
        keep(files, owner)
        modes = {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
        assert modes == {0}

    def test_a_larger_one_than_may_be_is_refused(self, backends: Backends, owner: UUID, folder: Path) -> None:
        small = Files(backends.engine, FolderStore(folder), FileLimits(each=264, account=0))
        with pytest.raises(TooLarge, match="265 bytes; the limit is 264"):
            keep(small, owner)
        assert stored_objects(folder) == []

    def test_an_account_has_room_for_so_much(
        self, backends: Backends, engine: Engine, owner: UUID, folder: Path
    ) -> None:
        files = Files(engine, FolderStore(folder), FileLimits(each=1_000, account=600))
        keep(files, owner)
        keep(files, owner)
        with pytest.raises(OverQuota, match="may have 600"):
            keep(files, owner)
        assert rows(engine, "SELECT file_bytes FROM auth.users") == 530
        assert rows(engine, "SELECT count(*) FROM files.files") == 2

    def test_an_account_may_have_a_quota_of_its_own(self, engine: Engine, owner: UUID, folder: Path) -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO auth.quotas (user_id, file_bytes) VALUES (:id, 300)"), {"id": owner})
        files = Files(engine, FolderStore(folder), FileLimits(each=1_000, account=0))
        keep(files, owner)
        with pytest.raises(OverQuota):
            keep(files, owner)


class TestReading:
    def test_only_the_owner_finds_it(self, files: Files, owner: UUID) -> None:
        with pytest.raises(NotFound):
            files.of_owner(keep(files, owner).id, uuid4())

    def test_an_execution_reads_what_came_in_with_its_event(self, files: Files, engine: Engine, owner: UUID) -> None:
        accepted = event(engine, owner)
        kept = keep(files, owner, accepted)
        mine, other = execution(engine, owner, accepted), execution(engine, owner, event(engine, owner))
        assert b"".join(files.of_execution(kept.id, mine).pieces()) == PDF
        with pytest.raises(NotFound):
            files.of_execution(kept.id, other)

    def test_an_id_that_another_execution_was_sent_opens_nothing_there(
        self, files: Files, engine: Engine, owner: UUID
    ) -> None:
        made_by = execution(engine, owner)
        kept = keep(files, owner, made_by)
        assert files.of_execution(kept.id, made_by).file == kept
        with pytest.raises(NotFound):
            files.of_execution(kept.id, execution(engine, owner))

    def test_it_can_be_passed_on(self, files: Files, engine: Engine, owner: UUID) -> None:
        source, called = execution(engine, owner, event(engine, owner)), execution(engine, owner, event(engine, owner))
        kept, foreign = keep(files, owner, source), keep(files, owner)
        with engine.begin() as connection:
            files_store.pass_on(connection, called, {kept.id, foreign.id}, source)
        assert files.of_execution(kept.id, called).file == kept
        with pytest.raises(NotFound):
            files.of_execution(foreign.id, called)

    def test_a_content_that_the_store_has_lost_is_told(self, files: Files, owner: UUID, folder: Path) -> None:
        kept = keep(files, owner)
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
        with pytest.raises(NotFound, match=r"not in the store of files: a\.pdf"):
            list(files.of_owner(kept.id, owner).pieces())


class TestDeleting:
    def test_it_goes_with_the_last_that_holds_it(
        self, backends: Backends, engine: Engine, owner: UUID, folder: Path
    ) -> None:
        old = datetime.now(UTC) - LONG_AGO
        keep(backends.files, owner, event(engine, owner, old))
        running = execution(engine, owner, event(engine, owner, old), status="RUNNING")
        held = keep(backends.files, owner, running, b"still needed")
        grow_old(engine)
        assert pruning.prune(backends)["files"] == 1
        grow_old(engine)
        assert pruning.prune(backends)["contents of files"] == 1
        assert stored_objects(folder) == [b"still needed"]
        assert backends.files.of_owner(held.id, owner).file == held
        assert rows(engine, "SELECT file_bytes FROM auth.users") == held.size

    def test_an_event_that_is_gone_leaves_its_files_to_the_execution(
        self, backends: Backends, engine: Engine, owner: UUID
    ) -> None:
        gone = uuid7()
        waiting = execution(engine, owner, gone, status="RUNNING")
        kept = keep(backends.files, owner, gone)
        grow_old(engine)
        assert pruning.prune(backends)["files"] == 0
        assert backends.files.of_execution(kept.id, waiting).file == kept

    def test_a_content_stays_as_long_as_another_file_has_it(
        self, backends: Backends, engine: Engine, owner: UUID, folder: Path
    ) -> None:
        keep(backends.files, owner)
        grow_old(engine)
        keep(backends.files, owner)
        assert pruning.prune(backends)["files"] == 1
        grow_old(engine)
        assert pruning.prune(backends)["contents of files"] == 0
        assert stored_objects(folder) == [PDF]

    def test_what_a_process_died_in_writing_is_found(self, engine: Engine, owner: UUID, backends: Backends) -> None:
        folder = backends.settings.home / "files"
        with pytest.raises(KeyboardInterrupt):
            keep(Files(engine, _DiesInWriting(folder), FileLimits(1_000, 0)), owner)
        assert len(stored_objects(folder)) == 1
        assert pruning.prune(backends)["contents of files"] == 0
        grow_old(engine)
        assert pruning.prune(backends)["contents of files"] == 1
        assert stored_objects(folder) == []

    def test_a_removed_account_leaves_nothing(
        self, backends: Backends, engine: Engine, owner: UUID, folder: Path
    ) -> None:
        keep(backends.files, owner)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM auth.users"))
            connection.execute(
                text("INSERT INTO auth.removed_accounts VALUES (:id, now() - interval '2 days')"), {"id": owner}
            )
        deleted = pruning.prune(backends)
        assert (deleted["files of removed accounts"], deleted["removed accounts"]) == (1, 1)
        grow_old(engine)
        pruning.prune(backends)
        assert stored_objects(folder) == []


class _DiesInWriting:
    """A store of a process that is killed once the content is half written."""

    def __init__(self, folder: Path) -> None:
        self._store = FolderStore(folder)

    def write(self, key: UUID, source: IO[bytes], size: int) -> None:
        self._store.write(key, BytesIO(source.read(size // 2)), size // 2)
        raise KeyboardInterrupt

    def open(self, key: UUID) -> AbstractContextManager[Iterator[bytes]]:
        return self._store.open(key)

    def delete(self, key: UUID) -> None:
        self._store.delete(key)
