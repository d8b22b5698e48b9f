"""Single statements without a transaction around them: one round trip instead of three."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine


@contextmanager
def autocommitting(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement commits by itself.

    psycopg2's switch is local to the client. SQLAlchemy's isolation level AUTOCOMMIT would do the same, but resets
    the session's default afterwards, with a message to the server each way.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False
