"""A web server as it is run: gunicorn in a process of its own, with fewer threads than viewers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from flowforge.embedded.programs import web_command
from flowforge.wiring import Backends
from tests.conftest import MigratedDatabase, lasting_backends
from tests.people import Person, registered
from tests.services.processes import start_server
from tests.waiting import eventually
from webapp import create_app

THREADS = 4
VIEWER_SLOTS = 8
"""Live streams of one account, half of all."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The server, and its backends as the tests reach them."""

    url: str
    backends: Backends
    client: FlaskClient
    """Of an application on the same backends."""
    owner: Person
    stranger: Person


@pytest.fixture(scope="session")
def stage(
    migrated_database: MigratedDatabase, valkey_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("live")
    with lasting_backends(migrated_database, valkey_server, home) as backends:
        client = create_app(backends=backends).test_client(use_cookies=False)
        people = registered(client, "owner"), registered(client, "stranger")
        with server(backends, home) as url:
            yield Stage(url, backends, client, *people)


@contextmanager
def server(backends: Backends, home: Path, **more: str) -> Iterator[str]:
    """The address of a web server on these backends."""
    settings = backends.settings.model_copy(update={"web_threads": THREADS})
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "FLOWFORGE_HOME": str(settings.home),
        "POSTGRES_URL": str(settings.postgres_url),
        "REDIS_URL": str(settings.redis_url),
        "LIVE_VIEWERS": str(2 * VIEWER_SLOTS),
        **more,
    }
    with socket.create_server(("127.0.0.1", 0)) as listener, (home / "web.log").open("ab") as log:
        command = web_command(settings, f"fd://{listener.fileno()}")
        process = start_server(command, log, env=environment, cwd=home, pass_fds=[listener.fileno()])
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            eventually(lambda: requests.get(f"{url}/health/live", timeout=1).status_code == 200)
            yield url
        finally:
            process.terminate()
            process.wait(20)
