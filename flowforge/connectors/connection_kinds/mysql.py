"""mysql: a database of MySQL or MariaDB.

https://dev.mysql.com/doc/refman/8.4/en/, https://mariadb.com/docs/server/
"""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import SSCursor

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
    ports,
    tls_context,
)

_DENIED = {1044, 1045, 1698}
"""https://mariadb.com/docs/server/reference/error-codes"""
_TIMED_OUT = {1317, 1969, 3024}
"""A query that was ended by KILL, by max_statement_time, by max_execution_time."""
_PASSING = {1040, 1041, 1203, 1205, 1213, 1226, 1290, 1836}
"""Too many connections, no memory, a lock, a deadlock, a limit, a server that only reads for now."""
_BROKEN = range(2000, 3000)
"""Errors of the client: the connection is lost."""


class MysqlServer(DatabaseServer):
    port: int = field(3306, title="Port", ge=1, le=65535)


def _open(credentials: Credentials[MysqlServer]) -> AbstractContextManager[SqlSession]:
    context, config = credentials.context, credentials.config
    dialer = context.tools.dialer
    driver = _driver(config, dialer)
    connect = partial(_session, config, dialer, driver, context.deadline)
    return lent_session(context.tools.sessions, context.user_id, config, connect, context.deadline)


def _session(config: MysqlServer, dialer: Dialer, driver: Driver, deadline: float) -> SqlSession:
    return SqlSession(driver, _connect(config, dialer, deadline), dialer)


def _connect(config: MysqlServer, dialer: Dialer, deadline: float) -> Any:
    """The library is given a connection to the address that was checked, and reads no files: neither those that a
    server asks for (LOAD DATA LOCAL), nor the operator's."""
    wire = dialer.connect(config.host, config.port, deadline, ports.MYSQL_PORTS)
    try:
        connection = _unconnected(config)
        with dialer.cutting(wire, deadline):
            connection.connect(wire)
    except (pymysql.err.Error, OSError, RuntimeError, ValueError, IndexError) as error:
        wire.close()
        raise _sign_in_error(error) from error
    connection._sock.settimeout(None)  # with TLS, it is another one
    return connection


def _unconnected(config: MysqlServer) -> Any:
    return pymysql.connect(
        host=config.host,
        port=config.port,
        user=config.username,
        password=config.password,
        database=config.database,
        charset="utf8mb4",
        autocommit=False,
        local_infile=False,
        client_flag=CLIENT.FOUND_ROWS,
        ssl=tls_context(config.tls, config.authorities),
        ssl_disabled=config.tls == "off",
        defer_connect=True,
    )


def _begin(connection: Any, seconds: float, reads: bool) -> None:
    with connection.cursor() as cursor:
        if "MariaDB" in connection.get_server_info():
            cursor.execute(f"SET SESSION max_statement_time = {seconds:.3f}")
        else:
            cursor.execute(f"SET SESSION max_execution_time = {int(seconds * 1000)}")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {max(1, int(seconds))}")
        cursor.execute("START TRANSACTION READ ONLY" if reads else "START TRANSACTION")


def _stream(connection: Any, statement: Bound) -> Any:
    cursor = connection.cursor(SSCursor)
    cursor.execute(statement.text, statement.values)
    return cursor


def _explain(error: Exception) -> ConnectorError | None:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if isinstance(error, pymysql.err.Error) and code in _TIMED_OUT:
        return ConnectorError("the server did not end the statement within the step's time limit", permanent=False)
    if not isinstance(error, pymysql.err.Error) or code in _BROKEN or code == 0:
        return None
    text = error.args[1] if len(error.args) > 1 else ""
    return ConnectorError(f"the server refused it: {text} [{code}]", code not in _PASSING, answered=True)


def _sign_in_error(error: Exception) -> ConnectorError:
    code = error.args[0] if error.args else 0
    if code in _DENIED:
        return ConnectorError("the server refused the user name or password", permanent=True, answered=True)
    if isinstance(error.__context__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ConnectorError("the server shows no certificate that can be trusted", permanent=True)
    if isinstance(error, pymysql.err.OperationalError) and "SSL" in str(error):
        return ConnectorError("the server does not speak TLS, which the connection asks for", permanent=True)
    return _explain(error) or ConnectorError("the server does not answer as MySQL or MariaDB do", permanent=False)


def _kill(config: MysqlServer, dialer: Dialer, connection: Any, deadline: float) -> None:
    """A server goes on with a statement whose client is gone, until it has something to say."""
    other = _connect(config, dialer, deadline)
    with dialer.cutting_descriptor(_descriptor(other), deadline), other.cursor() as cursor:
        cursor.execute(f"KILL {connection.thread_id()}")
    other.close()


def _descriptor(connection: Any) -> int:
    """Raises OSError for a connection that is closed."""
    if connection._sock is None:
        raise OSError("closed")
    return int(connection._sock.fileno())


def _test(credentials: Credentials[MysqlServer]) -> bool:
    """Signs in, and asks for nothing."""
    with credentials.open() as session, session.reading(Bound("SELECT 1", None)):
        return True


def _driver(config: MysqlServer, dialer: Dialer) -> Driver:
    return Driver(
        name="the server",
        dialect=Dialect(opening="`", closing="`", quoting="backslashes", upsert=Upsert.on_duplicate_key),
        error=pymysql.err.Error,
        begin=_begin,
        stream=_stream,
        descriptor=_descriptor,
        explain=_explain,
        cancel=partial(_kill, config, dialer),
    )


MYSQL = ConnectionKind(
    "mysql",
    MysqlServer,
    title="MySQL or MariaDB",
    help="A database of MySQL, MariaDB, or a service that speaks their protocol.",
    icon="table",
    keywords=("mysql", "mariadb", "sql", "database", "planetscale", "tidb"),
    open=_open,
    test=_test,
)
