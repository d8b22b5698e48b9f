"""Limits that a program sets itself before it looks at what it was given."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from flowforge.connectors.programs import wire

_LARGEST_FILE = 1024 * 1024 * 1024
_MOST_FILES = 128
_ROWS_AT_ONCE = 200
_YIELDING = 5
"""How far what else runs on the machine goes before it."""


def read_request() -> dict[str, Any]:
    """What is asked, once the limits stand."""
    request: dict[str, Any] = wire.decode(sys.stdin.buffer.read())
    _limit(resource.RLIMIT_AS, request["memory"])
    _limit(resource.RLIMIT_CPU, request["seconds"])
    _limit(resource.RLIMIT_FSIZE, _LARGEST_FILE)
    _limit(resource.RLIMIT_NOFILE, _MOST_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    os.nice(_YIELDING)
    return request


def run(work: Callable[[dict[str, Any]], None]) -> None:
    """Does what is asked; what cannot be done is told. Libraries raise all there is where files are broken."""
    try:
        work(read_request())
    except UnicodeDecodeError:
        fail(ValueError("it is not in UTF-8"))
    except (ValueError, MemoryError) as error:
        fail(error)
    except Exception:  # noqa: BLE001
        fail(ValueError("it is damaged, or not complete"))


@contextmanager
def told_as(message: str) -> Iterator[None]:
    """Tells whatever a library raises for a part of a file in words that say which one."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(message) from error


def answer_each(items: Iterable[Any]) -> None:
    """Says each item, and that none is missing."""
    for item in items:
        say([item])
    end()


def answer(cursor: Any) -> None:
    """Says the columns, and each row."""
    say({"columns": [column[0] for column in cursor.description or ()]})
    while cursor.description and (rows := cursor.fetchmany(_ROWS_AT_ONCE)):
        for row in rows:
            say(row)


def end(changed: int = 0) -> None:
    """Says that nothing is missing, and how many rows were changed."""
    say({"changed": changed})


def say(value: Any) -> None:
    sys.stdout.write(wire.encode(value) + "\n")


def fail(error: BaseException) -> NoReturn:
    """Tells why it cannot be done, and ends."""
    say({"error": "it needs more memory than it may have" if isinstance(error, MemoryError) else str(error)})
    sys.stdout.flush()
    sys.exit(0)


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))
