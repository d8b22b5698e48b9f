"""A dump is restored into the database, with nothing of what stood there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from flowforge.__main__ import main
from flowforge.db.migrate import upgrade
from flowforge.embedded.postgres import program_folder
from tests.migrations.originals import connected
from tests.services.databases import dump


@pytest.fixture
def backup(database_url: str, tmp_path: Path) -> Path:
    with connected(database_url) as connection:
        connection.execute(text("INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES ('a', 'b', now())"))
        connection.commit()
    file = tmp_path / "flowforge.dump"
    subprocess.run([program_folder() / "pg_dump", "--format=custom", f"--file={file}", database_url], check=True)
    return file


@pytest.fixture(autouse=True)
def target(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("POSTGRES_URL", empty_database_url)
    monkeypatch.setenv("FLOWFORGE_HOME", str(tmp_path / "home"))
    return empty_database_url


def test_everything_is_there(database_url: str, backup: Path, target: str) -> None:
    assert main(["db", "restore", str(backup)]) == 0
    assert dump(target) == dump(database_url)


def test_what_stood_there_is_replaced(database_url: str, backup: Path, target: str) -> None:
    upgrade(target)
    with connected(target) as connection:
        connection.execute(text("INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES ('c', 'd', now())"))
        connection.commit()
    assert main(["db", "restore", str(backup)]) == 0
    assert dump(target) == dump(database_url)


def test_what_is_no_dump_changes_nothing(backup: Path, target: str) -> None:
    before = dump(target)
    backup.write_bytes(b"nonsense")
    with pytest.raises(SystemExit, match="nothing has changed"):
        main(["db", "restore", str(backup)])
    with pytest.raises(SystemExit, match="no file"):
        main(["db", "restore", str(backup.with_name("elsewhere"))])
    assert dump(target) == before
