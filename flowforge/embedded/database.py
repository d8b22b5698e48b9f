"""The database of an instance that does not run, for commands that need nothing else of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flowforge.embedded.instance import lock
from flowforge.embedded.postgres import running_postgres
from flowforge.settings import Settings


@contextmanager
def database_at_rest(settings: Settings) -> Iterator[str]:
    """Its URL. The embedded one runs for the length of the block, and nothing else on its home. Raises AlreadyRunning
    and CannotStart."""
    if settings.postgres_url is not None:
        yield settings.postgres_url
        return
    holder = lock(settings.home.resolve())
    try:
        with running_postgres(settings.home) as url:
            yield url
    finally:
        os.close(holder)
