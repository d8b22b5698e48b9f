"""Runs a command over a session of SSH (RFC 4254, 6.5): its input and both its outputs flow at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import Content
from flowforge.connectors.remote_files import Sink

if TYPE_CHECKING:
    import paramiko

MOST_ERROR_BYTES = 16 * 1024
MOST_COMMAND_BYTES = 30_000
"""A packet holds 32,768 (RFC 4253, 6.1)."""
_PIECE_BYTES = 64 * 1024
_UNKNOWN = -1
"""What paramiko gives for the exit code of a command that was ended by a signal, or whose connection ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has run. `errors`: the end of what it wrote to its standard error."""

    exit_code: int | None
    """None where a signal ended it."""
    errors: str


def run_command(transport: paramiko.Transport, command: str, given: Content | None, output: Sink) -> Ended:
    """Runs a command to its end; writes its standard output to `output`, whose errors end it. Raises ConnectorError
    where the connection ends, since nobody knows then what was done."""
    import paramiko

    channel = transport.open_session()
    try:
        channel.exec_command(command)
    except (paramiko.SSHException, EOFError) as error:
        raise ConnectorError("the server runs no commands for this user", permanent=True, answered=True) from error
    with _closing(channel), _read_beside(channel) as errors, _written_beside(channel, given):
        while piece := channel.recv(_PIECE_BYTES):
            output.write(piece)
        code = channel.recv_exit_status()
    if code == _UNKNOWN and not transport.is_active():
        raise ConnectorError("the connection ended before the command did: it may have been done", permanent=True)
    return Ended(None if code == _UNKNOWN else code, bytes(errors).decode("utf-8", "replace"))


@contextmanager
def _closing(channel: Any) -> Iterator[None]:
    try:
        yield
    finally:
        channel.close()


@contextmanager
def _read_beside(channel: Any) -> Iterator[bytearray]:
    """Reads the standard error while the block runs, and up to its end; keeps the end of it."""
    kept = bytearray()

    def read() -> None:
        while piece := channel.recv_stderr(_PIECE_BYTES):
            kept.extend(piece)
            del kept[:-MOST_ERROR_BYTES]

    with _beside(channel, read):
        yield kept


@contextmanager
def _written_beside(channel: Any, given: Content | None) -> Iterator[None]:
    """Writes the standard input while the block runs. A command may end before it has read all of it."""

    def write() -> None:
        with suppress(OSError, EOFError):
            for piece in given.pieces() if given else ():
                channel.sendall(piece)
            channel.shutdown_write()

    with _beside(channel, write):
        yield


@contextmanager
def _beside(channel: Any, work: Any) -> Iterator[None]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        channel.close()
        raise
    finally:
        thread.join()
