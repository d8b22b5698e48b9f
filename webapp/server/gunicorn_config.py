"""Gunicorn's configuration: threads, none of which live streams or arriving requests hold.

docs/decisions/0012-web-server.md gives the reasons and figures. The address, the threads and the processes come on the
command line (`python -m flowforge web`), from the settings.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

from flowforge.db.schema import exit_on_other_schema
from flowforge.settings import Settings

worker_class = "webapp.server.worker.Worker"
preload_app = True  # imported once, before the fork: the processes share it, and one that died is back at once
backlog = 1024
keepalive = 15
timeout = 60  # a worker without a sign of life for so long is replaced; a request that waits doesn't count as that
graceful_timeout = 3
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK) else None  # noqa: S108
accesslog = None
errorlog = "-"
control_socket_disable = True
proc_name = "flowforge-web"
# Gunicorn believes nobody: by default it would take SCRIPT_NAME and the scheme from any sender on loopback.
# Which proxies are believed, and what, TRUSTED_PROXIES alone decides (webapp.edge).
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}


def on_starting(_arbiter: Any) -> None:
    """Refuse a database that is not as this release needs it."""
    exit_on_other_schema(Settings().postgres_url)


def pre_fork(_arbiter: Any, _worker: Any) -> None:
    """Keep what was imported in shared memory: the garbage collector would write to its pages."""
    gc.collect()
    gc.freeze()


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """Switch threads often: a webhook takes the interpreter several times, and should not wait for a page each time."""
    sys.setswitchinterval(0.0005)
