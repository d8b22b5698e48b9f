"""Programs that work on what strangers have made, each in a process of its own: one that does not end, or takes too
much memory, is killed, and delays nobody."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import flowforge
from flowforge.connectors import programs
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import Content
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.programs import wire
from flowforge.fair_shares import FairShares

_OURS = Path(flowforge.__file__).parents[1]
_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """One of `flowforge/connectors/programs`, by its name there."""

    name: str
    memory: int
    """Bytes of address space."""
    work: str
    """What it does, in messages: `the statement`."""


_PLACES = FairShares(4)
"""So many programs run at once in a process; an account's are half of them at most."""


@contextmanager
def running(
    program: Program, request: Mapping[str, Any], dialer: Dialer, user_id: UUID, deadline: float
) -> Iterator[Iterator[Any]]:
    """The lines that a program answers, while it runs; killed when the block ends, and at the deadline. They raise
    ConnectorError for what cannot be done."""
    with _place_for(user_id, deadline):
        ours, its = socket.socketpair()
        with ours, dialer.cutting(ours, deadline):
            child = _start(program, its)
            try:
                _ask(child, program, request, deadline)
                with ours.makefile("rb") as answers:
                    yield _lines(program, answers, deadline)
            finally:
                child.kill()
                child.communicate()


def items_of(lines: Iterator[Any]) -> Iterator[Any]:
    """The items among the lines of a program, up to the one that says that none is missing."""
    for line in lines:
        if isinstance(line, dict):
            return
        yield line[0]


def write_file(content: Content, path: Path) -> Path:
    with path.open("wb") as target:
        for piece in content.pieces():
            target.write(piece)
    return path


@contextmanager
def _place_for(user_id: UUID, deadline: float) -> Iterator[None]:
    """Raises ConnectorError where there is no room before the deadline."""
    with _PLACES.place(user_id, patience=max(0.0, deadline - time.monotonic())) as is_free:
        if not is_free:
            raise ConnectorError("other steps that work on files took all the time there was", permanent=False)
        yield


def _start(program: Program, output: socket.socket) -> subprocess.Popen[bytes]:
    """Without anything of ours: no environment, no path, no descriptors."""
    with output:
        return subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-I", "-c", _LAUNCH, str(_OURS), f"{programs.__name__}.{program.name}"],
            stdin=subprocess.PIPE,
            stdout=output.fileno(),
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )


_LAUNCH = "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_module(sys.argv[2], run_name='__main__')"


def _ask(child: subprocess.Popen[bytes], program: Program, request: Mapping[str, Any], deadline: float) -> None:
    seconds = max(1, math.ceil(deadline - time.monotonic()))
    asked = wire.encode({**request, "memory": program.memory, "seconds": seconds}).encode()
    if child.stdin is not None:
        with suppress(BrokenPipeError):  # its answer says why
            child.stdin.write(asked)
            child.stdin.close()
        child.stdin = None


def _lines(program: Program, answers: BinaryIO, deadline: float) -> Iterator[Any]:
    """All that is said. Raises ConnectorError where that stops before the end, and for an error that is told."""
    while (line := answers.readline(_LONGEST_LINE)).endswith(b"\n"):
        found = wire.decode(line)
        if isinstance(found, dict) and "error" in found:
            raise ConnectorError(f"{program.work} cannot be done: {' '.join(found['error'].split())}", permanent=True)
        yield found
    raise _ended(program, deadline)


def _ended(program: Program, deadline: float) -> ConnectorError:
    if time.monotonic() >= deadline:
        return ConnectorError(f"{program.work} did not end within the step's time limit", permanent=False)
    return ConnectorError(f"{program.work} was ended: it took too much memory, or too long", permanent=True)
