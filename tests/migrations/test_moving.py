"""The originals' data in a new database, by the commands of docs/taking-over.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from flowforge.__main__ import main
from flowforge.embedded.postgres import program_folder
from tests.migrations.originals import SHAPES, connected, contents, leave_behind
from tests.services.databases import fresh_database

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "taking-over.md").read_text()


@pytest.fixture
def documented_options() -> list[str]:
    """What the page gives to pg_dump, but for how to reach the server."""
    command = re.search(r"pg_dump ([^>]+) >", PAGE.replace("\\\n", ""))
    assert command is not None
    return [option for option in command[1].split() if not option.startswith(("--username", "--dbname"))]


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_dump_of_theirs_is_restored_and_adopted(
    shape: str,
    empty_database_url: str,
    postgres_server: str,
    documented_options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = leave_behind(empty_database_url, shape)
    with connected(theirs.url) as connection:  # which has nothing to do with their tables, as pgcrypto
        connection.execute(text("CREATE EXTENSION hstore"))
    file = tmp_path / "devdb.dump"
    subprocess.run([program_folder() / "pg_dump", *documented_options, f"--file={file}", theirs.url], check=True)

    with fresh_database(postgres_server) as ours:
        monkeypatch.setenv("POSTGRES_URL", ours)
        monkeypatch.setenv("FLOWFORGE_HOME", str(tmp_path / "home"))
        assert main(["db", "restore", str(file)]) == 0
        assert contents(ours) == contents(theirs.url)
        assert main(["db", "upgrade"]) == 0
        with connected(ours) as connection:
            assert connection.scalar(text("SELECT count(*) FROM orchestrator.adoption")) == 1
            assert connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'hstore'")) == 0
