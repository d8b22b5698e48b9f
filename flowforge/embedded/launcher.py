"""`python -m flowforge run`: prepares the home, then becomes the supervisor of every process."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from flowforge.embedded import postgres, valkey
from flowforge.embedded.console import Console
from flowforge.embedded.instance import end_left_over_processes, lock, run_folder
from flowforge.embedded.programs import VALKEY, programs, refuse_unusable, supervisor_configuration
from flowforge.embedded.server import CannotStart, EmbeddedServer
from flowforge.home import load_keys
from flowforge.settings import Settings

_PROJECT = Path(__file__).resolve().parents[2]
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}
"""For glibc (mallopt(3)): large blocks go back to the system when they are freed. The Dockerfile says the same."""


def run(settings: Settings) -> None:
    """Start everything on this machine; returns only by an error: CannotStart, AlreadyRunning.

    A server that has a URL in the settings is used from there, the others are started here.
    """
    home = settings.home.resolve()
    for path in (home, _PROJECT, sys.executable):
        refuse_unusable(path)
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    os.umask(0o077)
    holder = lock(home)
    left = end_left_over_processes(home)
    if left:
        Console().print(f"Ended what an earlier start left behind: {', '.join(left)}")
    listeners = _listeners(settings)
    here = settings.model_copy(update={"home": home, "port": listeners[0].getsockname()[1]})
    load_keys(here)
    (home / "logs").mkdir(exist_ok=True)
    servers = _embedded_servers(here)
    configuration = supervisor_configuration(
        home, programs(here, servers, [listener.fileno() for listener in listeners])
    )
    (run_folder(home) / "supervisord.conf").write_text(configuration)
    environment = ALLOCATOR | os.environ | _environment(here, servers)
    descriptors = (holder, *(listener.detach() for listener in listeners))
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    arguments = (str(home), *map(str, descriptors))
    os.execve(sys.executable, [sys.executable, "-m", "flowforge.embedded.supervision", *arguments], environment)  # noqa: S606


def _listeners(settings: Settings) -> list[socket.socket]:
    """Listening sockets, that of PORT first."""
    named = [(settings.port, "PORT"), (settings.legacy_webhook_port, "LEGACY_WEBHOOK_PORT")]
    return [_listener(settings.host, port, name) for port, name in named if port is not None]


def _listener(host: str, port: int, setting: str) -> socket.socket:
    """An address of the web server, taken now and held for as long as we run, so that a restarted one keeps it.

    It begins to listen when the web server is up. Port 0 takes a free one.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise CannotStart(
            f"can't use port {port} of {host} ({error.strerror}); choose another with {setting}=..."
        ) from error
    return listener


def _embedded_servers(settings: Settings) -> dict[str, EmbeddedServer]:
    servers = {}
    if settings.postgres_url is None:
        Console().print("Preparing PostgreSQL ...")
        servers["postgres"] = postgres.prepare(settings.home)
    if settings.redis_url is None:
        servers[VALKEY] = valkey.prepare(settings.home)
    return servers


def _environment(settings: Settings, servers: dict[str, EmbeddedServer]) -> dict[str, str]:
    """Environment variables for every process; they win over `.env`."""
    python_path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
    environment = {"FLOWFORGE_HOME": str(settings.home), "PORT": str(settings.port), "PYTHONPATH": python_path}
    urls = {"postgres": "POSTGRES_URL", VALKEY: "REDIS_URL"}
    return environment | {urls[name]: server.url for name, server in servers.items()} | {"PYTHONUNBUFFERED": "1"}
