"""The embedded PostgreSQL and Valkey: private, durable, and able to start again after anything."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest
from redis import Redis

from flowforge.db.engine import make_engine
from flowforge.embedded import postgres, valkey
from flowforge.embedded.postgres import running_postgres
from flowforge.embedded.server import CannotStart, make_private, start
from flowforge.embedded.valkey import running_valkey
from tests.embedded.conftest import copy_of
from tests.waiting import eventually


@contextmanager
def _connected(url: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


def _setting(cursor: psycopg2.extensions.cursor, name: str) -> object:
    cursor.execute("SELECT current_setting(%s)", [name])
    return cursor.fetchone()[0]


def test_postgres_keeps_rows_across_restarts_and_is_durable(home: Path) -> None:
    with running_postgres(home) as url, _connected(url) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 'still here' AS text")
        assert _setting(cursor, "fsync") == "on"
        assert _setting(cursor, "synchronous_commit") == "on"
        assert _setting(cursor, "server_encoding") == "UTF8"

    with running_postgres(home) as url:
        with _connected(url) as cursor:
            cursor.execute("SELECT text FROM kept")
            assert cursor.fetchone() == ("still here",)
        engine = make_engine(url)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT current_database()").scalar() == "devdb"
        engine.dispose()


def test_postgres_listens_on_a_socket_only_its_owner_reaches(home: Path) -> None:
    with running_postgres(home) as url, _connected(url) as cursor:
        assert _setting(cursor, "listen_addresses") == ""
        folder = Path(str(_setting(cursor, "unix_socket_directories")))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_valkey_keeps_what_was_written_and_never_evicts(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as url, Redis.from_url(url) as redis:
        redis.set("kept", "still here")
        assert redis.config_get("port") == {"port": "0"}
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert redis.config_get("unixsocketperm") == {"unixsocketperm": "700"}

    with running_valkey(tmp_path) as url, Redis.from_url(url) as redis:
        assert redis.get("kept") == b"still here"


@pytest.mark.parametrize("part", ["x" * 120, "with blank & 'quotes' and %", "comma,x"])
def test_any_home_path_will_do(tmp_path: Path, blank_home: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    home = copy_of(blank_home, tmp_path / part)
    with running_postgres(home) as url, _connected(url) as cursor:
        cursor.execute("SELECT 1")
    with running_valkey(home) as url, Redis.from_url(url) as redis:
        assert redis.ping()


def test_an_interrupted_first_start_is_begun_anew(tmp_path: Path) -> None:
    half_made = tmp_path / "postgres" / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with running_postgres(tmp_path) as url, _connected(url) as cursor:
        cursor.execute("SELECT 1")
    assert not half_made.exists()


def test_data_of_another_major_version_are_refused_with_a_way_out(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match=r"written by PostgreSQL 9.*pg_dump"):
        postgres.prepare(tmp_path)


def test_servers_left_by_a_killed_launcher_are_ended_before_the_next_start(home: Path) -> None:
    with (home / "log").open("wb") as log:
        servers = [(postgres.prepare(home), postgres.answers), (valkey.prepare(home), valkey.answers)]
        left = [start(server, log) for server, _ in servers]
    eventually(lambda: all(answers(server.url) for server, answers in servers))

    with running_postgres(home) as url, _connected(url) as cursor:
        cursor.execute("SELECT 1")
    with running_valkey(home) as url, Redis.from_url(url) as redis:
        assert redis.ping()
    assert [process.wait(10) for process in left] == [0, 0]


def test_a_pid_that_now_belongs_to_something_else_is_left_alone(tmp_path: Path) -> None:
    with running_valkey(tmp_path):
        pass
    (tmp_path / "valkey" / "valkey.pid").write_text(str(os.getppid()))
    with running_valkey(tmp_path) as url, Redis.from_url(url) as redis:
        assert redis.ping()
    assert psutil.pid_exists(os.getppid())


def test_postgres_starts_after_being_killed(home: Path) -> None:
    with running_postgres(home) as url, _connected(url) as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 1 AS number")
        pid = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def again() -> bool:
        with running_postgres(home) as url, _connected(url) as cursor:
            cursor.execute("SELECT number FROM kept")
            return cursor.fetchone() == (1,)

    assert again()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(elsewhere)
    with pytest.raises(CannotStart, match="belongs to somebody else"):
        make_private(tmp_path / "link", os.geteuid())
