"""The database of an instance, for commands that need nothing else of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flowforge.db.migrate import upgrade
from flowforge.embedded import postgres
from flowforge.embedded.instance import AlreadyRunning, lock
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


@contextmanager
def reached_database(settings: Settings) -> Iterator[str]:
    """The URL of the database whether the instance runs or not: the embedded one is started and brought up to date for
    the length of the block where it does not. Raises CannotStart."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(database_at_rest(settings))
        except AlreadyRunning:
            yield postgres.url_of(settings.home)
            return
        if settings.postgres_url is None:
            upgrade(url)
        yield url
