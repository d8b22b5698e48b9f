"""sqlserver: a database of Microsoft SQL Server, or of a service that speaks its protocol.

https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
"""

from __future__ import annotations

import re
import ssl
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from flowforge.connectors.sdk import (
    Bound,
    ConnectionKind,
    ConnectorError,
    Credentials,
    DatabaseServer,
    Dialect,
    Dialer,
    Driver,
    SqlSession,
    Upsert,
    field,
    lent_session,
    mentions,
    tls_context,
)

if TYPE_CHECKING:  # where it is used it is imported, since few need it, and it takes its time to load
    from flowforge.connectors.sqlserver.connection import TdsConnection

_LATE = "SQL Server did not end the statement within the step's time limit"
_PASSING = {
    701, 802, 1204, 1205, 1222, 3960, 8645, 8651,
    10928, 10929, 10936, 40143, 40197, 40501, 40540, 40613, 49918, 49919, 49920,
}  # fmt: skip
"""Memory, locks, deadlocks, conflicts of snapshots; limits and moves in Azure."""
_LARGEST_NUMBER = 10**38
"""No type of SQL Server has more digits."""
_BRACKETED = re.compile(r"\[[^\]]*\]")
_END_TRANSACTIONS = ("COMMIT", "ROLLBACK")


class SqlServer(DatabaseServer):
    port: int = field(1433, title="Port", ge=1, le=65535)


def _open(credentials: Credentials[SqlServer]) -> AbstractContextManager[SqlSession]:
    context, config = credentials.context, credentials.config
    connect = partial(_session, config, context.tools.dialer, context.deadline)
    return lent_session(context.tools.sessions, context.user_id, config, connect, context.deadline)


def _session(config: SqlServer, dialer: Dialer, deadline: float) -> SqlSession:
    from flowforge.connectors.sqlserver.connection import SqlServerAccount, connect

    tls = tls_context(config.tls, config.authorities)
    if tls is not None:
        tls.maximum_version = ssl.TLSVersion.TLSv1_2  # before 8.0, the protocol has room for no later one
    account = SqlServerAccount(config.host, config.port, config.database, config.username, config.password, tls)
    return SqlSession(_driver(), connect(account, dialer, deadline), dialer)


def _begin(connection: TdsConnection, seconds: float, reads: bool) -> None:
    """There are no transactions that only read: what one has changed is taken back."""
    connection.begin(seconds)


def _stream(connection: TdsConnection, statement: Bound) -> Any:
    text = _BRACKETED.sub(" ", statement.text)
    ending = next((word for word in _END_TRANSACTIONS if mentions(text, word)), None)
    if ending is not None:
        raise ConnectorError(f"sql: {ending} would end the transaction in which this only reads", permanent=True)
    cursor = connection.cursor()
    cursor.stream(statement.text, statement.values)
    return cursor


def _run(connection: TdsConnection, statement: Bound) -> Any:
    cursor = connection.cursor()
    cursor.execute(statement.text, statement.values)
    return cursor


def _adapt(value: Any) -> Any:
    from pytds.tds_types import Binary

    match value:
        case bytes():
            return Binary(value)
        case int() if abs(value) >= _LARGEST_NUMBER:
            return str(value)
    return value


def _explain(error: Exception) -> ConnectorError | None:
    from flowforge.connectors.sqlserver.wire import TooMuchError

    if isinstance(error, TimeoutError):
        return ConnectorError(_LATE, permanent=False)
    if isinstance(error, TooMuchError):
        return ConnectorError(f"sql: {error}", permanent=True)
    number = getattr(error, "number", 0)
    if not number:
        return None
    text = " ".join(str(getattr(error, "text", error)).split())
    return ConnectorError(f"SQL Server refused it: {text} [{number}]", number not in _PASSING, answered=True)


def _descriptor(connection: TdsConnection) -> int:
    """Raises OSError for a connection that is closed."""
    descriptor = connection.wire.fileno()
    if descriptor < 0:
        raise OSError("closed")
    return descriptor


def _test(credentials: Credentials[SqlServer]) -> bool:
    """Signs in, and asks for nothing."""
    with credentials.open() as session, session.reading(Bound("SELECT 1 AS one", None)):
        return True


@cache
def _driver() -> Driver:
    from pytds import tds_base

    return Driver(
        name="SQL Server",
        dialect=Dialect(opening="[", closing="]", quoting="brackets", most_values=2_000, upsert=Upsert.merge),
        error=tds_base.Error,
        begin=_begin,
        stream=_stream,
        run=_run,
        descriptor=_descriptor,
        explain=_explain,
        adapt=_adapt,
    )


SQLSERVER = ConnectionKind(
    "sqlserver",
    SqlServer,
    title="SQL Server",
    help="A database of Microsoft SQL Server or Azure SQL.",
    icon="table",
    keywords=("sql server", "mssql", "azure", "microsoft", "sql", "database", "t-sql"),
    open=_open,
    test=_test,
)
