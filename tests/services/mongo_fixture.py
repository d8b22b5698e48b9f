"""The fixture `mongo_server`: MONGO_URI if it is set, else SecantusDB, which speaks MongoDB's protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.services.kafka_broker import free_ports
from tests.services.processes import start_server
from tests.waiting import eventually

_TRIES = 3


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`mongodb://host:port`, without a database."""
    if "MONGO_URI" in os.environ:
        yield os.environ["MONGO_URI"].rstrip("/")
        return
    with running_secantus(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@contextmanager
def running_secantus(folder: Path, *options: str, port: int | None = None, **client: Any) -> Iterator[str]:
    """`mongodb://host:port`, without a database. `client`: options by which it can be asked whether it answers."""
    server, port = _start(folder, options, [port] if port else free_ports(_TRIES), client)
    try:
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _start(
    folder: Path, options: tuple[str, ...], ports: list[int], client: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], int]:
    """The server, and the one of the ports that it has: another process may be faster to take one that was free."""
    for port in ports:
        command = [
            sys.executable,
            "-m",
            "secantus",
            "--standalone",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            *options,
        ]
        with (folder / "log").open("wb") as log:
            server = start_server([*command, "--storage-path", str(folder / "data")], log, cwd=folder)
        eventually(partial(_has_ended_or_answers, server, port, client), every=0.1)
        if server.poll() is None:
            return server, port
    raise AssertionError((folder / "log").read_text())


def _has_ended_or_answers(server: subprocess.Popen[bytes], port: int, client: dict[str, Any]) -> bool:
    return server.poll() is not None or _answers(port, client)


def _answers(port: int, options: dict[str, Any]) -> bool:
    with MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=500, **options) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
    return True
