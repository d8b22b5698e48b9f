"""Threads that one answer holds for long: those of callers who wait, and of files that somebody downloads slowly.

They share three quarters of the threads of a process (flowforge.fair_shares); a quarter is for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app

from flowforge.errors import Unavailable
from flowforge.fair_shares import FairShares
from flowforge.files.files import KeptFile
from flowforge.sentences import sentence
from flowforge.settings import Settings

_EXTENSION = "flowforge.held_threads"
_SMALL_BYTES = 256 * 1024
"""A file up to that size holds no thread for longer than a page does."""


def install(app: Flask, settings: Settings) -> None:
    app.extensions[_EXTENSION] = FairShares(settings.web_threads * 3 // 4)


def places() -> FairShares:
    found: FairShares = current_app.extensions[_EXTENSION]
    return found


@contextmanager
def place_for_download(kept: KeptFile) -> Iterator[None]:
    """Holds a place for sending a file of that account. Raises Unavailable where it has as many as it may."""
    if kept.file.size <= _SMALL_BYTES:
        yield
        return
    with places().place(("downloads", kept.owner), kept.owner) as is_free:
        if not is_free:
            raise Unavailable(sentence("too many files of this account are being downloaded; try again in a moment"))
        yield
