"""Single statements without a transaction around them: one round trip instead of three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from flowforge.db.prepared import execute_prepared


@contextmanager
def autocommitting(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement commits by itself.

    psycopg2's switch is local to the client. SQLAlchemy's isolation level AUTOCOMMIT would do the same, but resets
    the session's default afterwards, with a message to the server each way.
    """
    with engine.connect() as connection, _switched(connection.connection):
        yield connection


def run_alone(engine: Engine, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement (flowforge.db.prepared) that commits by itself, by the driver alone: what
    SQLAlchemy does around a statement takes longer than everything else that is done for it here. Who listens to
    statements (`before_cursor_execute`) hears of it without a connection. Raises DBAPIError."""
    pooled = None
    try:
        pooled = engine.raw_connection()
        with _switched(pooled), closing(pooled.cursor()) as cursor:
            engine.dispatch.before_cursor_execute(None, cursor, statement, parameters, None, False)
            if not execute_prepared(cursor, pooled.info, statement, parameters):
                cursor.execute(statement, parameters)
            return list(cursor.fetchall())
    except psycopg2.Error as error:
        raise _as_sqlalchemys(engine, pooled, statement, error) from error
    finally:
        if pooled is not None:
            pooled.close()


@contextmanager
def _switched(pooled: PoolProxiedConnection) -> Iterator[None]:
    driver: Any = pooled.driver_connection
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


def _as_sqlalchemys(engine: Engine, pooled: PoolProxiedConnection | None, statement: str, error: Any) -> BaseException:
    """The error as SQLAlchemy raises it. One by which the server is lost has all connections of that time made anew, as
    SQLAlchemy does it: to dispose of the pool would leave those that others hold open beside the next one's."""
    is_lost = pooled is not None and engine.dialect.is_disconnect(error, pooled.driver_connection, None)
    if pooled is not None and is_lost:
        engine.pool._invalidate(pooled, error)  # what its own connections call
    raised: BaseException = DBAPIError.instance(
        statement,
        None,
        error,
        psycopg2.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=engine.dialect,
    )
    return raised
