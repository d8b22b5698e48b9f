"""The output of `run` in the foreground: starts, ends, and the errors of every process."""

from __future__ import annotations

import contextlib
import os
import re
import sys

_ERROR = re.compile(rb"\b(ERROR|CRITICAL|FATAL|PANIC)\b|^Traceback ")
_TAIL_LINES = 12


class Console:
    """Writes to the terminal; one that has gone away is not missed, the log files have everything."""

    def print(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def tail(self, name: str, path: str) -> None:
        """Show the last lines of a log file."""
        for line in _last_lines(path):
            self.print(f"  [{name}] {line.decode(errors='replace')}")


class ErrorRelay:
    """Passes on the error lines of one process's output, with the traceback that belongs to them."""

    def __init__(self, name: str, console: Console, *, everything: bool = False) -> None:
        self._name = name
        self._console = console
        self._everything = everything
        self._unfinished = b""
        self._in_traceback = False

    def feed(self, data: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            if self._everything:
                self._console.print(line.decode(errors="replace"))
            elif self._concerns(line):
                self._console.print(f"[{self._name}] {line.decode(errors='replace')}")

    def _concerns(self, line: bytes) -> bool:
        if _ERROR.search(line):
            self._in_traceback = True
            return True
        if not self._in_traceback:
            return False
        self._in_traceback = line.startswith((b" ", b"\t"))
        return True


def _last_lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            return file.read().splitlines()[-_TAIL_LINES:]
    except FileNotFoundError:
        return []
