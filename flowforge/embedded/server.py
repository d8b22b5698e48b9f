"""Common parts of the embedded PostgreSQL and Valkey: a command line to keep alive, and a private socket folder."""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from flowforge.embedded.lifetime import ending_with_us

SUN_PATH_BYTES = 103  # the shortest limit among our platforms (macOS); Linux takes 107
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


class CannotStart(RuntimeError):
    """An embedded server can't run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server that runs in the foreground until it gets `stop_signal`; the starter of `command` keeps it alive."""

    command: tuple[str, ...]
    url: str
    folder: Path
    user: str | None = None
    """System user to start it as; None means our own."""
    stop_signal: signal.Signals = signal.SIGTERM
    environment: dict[str, str] = field(default_factory=dict)


def socket_folder(preferred: Path, socket_name: str, owner: int) -> Path:
    """`preferred` where a socket's path fits into the system's limit and has no comma, which separates hosts in libpq
    (and folders in PostgreSQL's settings); else a private folder for temporary files."""
    if len(os.fsencode(preferred / socket_name)) <= SUN_PATH_BYTES and "," not in str(preferred):
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    ours = os.environ.get("XDG_RUNTIME_DIR") if owner == os.geteuid() else None  # admits nobody else
    for base in (ours, tempfile.gettempdir(), "/tmp"):  # noqa: S108  private below
        if base and len(os.fsencode(folder := Path(base) / f"flowforge-{digest}")) + len(socket_name) < SUN_PATH_BYTES:
            make_private(folder, owner)
            return folder
    raise CannotStart(f"no folder is short enough for a socket; choose a shorter FLOWFORGE_HOME than {preferred}")


def make_private(folder: Path, owner: int) -> None:
    """Create `folder` for `owner` alone, or take the one that exists. Raises CannotStart if it is another user's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise CannotStart(f"{folder} belongs to somebody else; remove it or choose another FLOWFORGE_HOME")
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)


@contextmanager
def running(server: EmbeddedServer, is_ready: Callable[[], bool]) -> Iterator[str]:
    """Run the server for the length of a `with` block, or of this process if it is killed within.

    Gives its URL once it answers. It logs to `<name of its folder>.log` beside its folder. Raises CannotStart.
    """
    with (server.folder.parent / f"{server.folder.name}.log").open("ab") as log:
        process = start(server, log, preexec=ending_with_us(server.stop_signal))
        try:
            _wait_until(is_ready, process, Path(log.name))
            yield server.url
        finally:
            _stop(process, server.stop_signal)


def start(
    server: EmbeddedServer, output: IO[bytes], *, preexec: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """Start the server as a child process, out of reach of our terminal's signals. `preexec` is run in the child."""
    return subprocess.Popen(  # noqa: S603  the wheel's own server, without a shell
        server.command,
        preexec_fn=preexec,
        user=server.user,
        group=pwd.getpwnam(server.user).pw_gid if server.user else None,
        extra_groups=[] if server.user else None,
        cwd=server.folder,
        env=os.environ | server.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready():
        if process.poll() is not None:
            raise CannotStart(f"{process.args!r} ended with {process.returncode}: {log.read_text()[-2000:]}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{process.args!r} did not answer within {_START_SECONDS:.0f} s")
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
