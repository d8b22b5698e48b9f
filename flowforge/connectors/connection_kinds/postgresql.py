"""postgresql: a database of PostgreSQL, or of a service that speaks its protocol.

https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import uuid4

import certifi
import psycopg2
from psycopg2 import extras

from flowforge import jsonio
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
    field,
    first_word,
    lent_session,
    mentions,
    ports,
    readable_pem,
    seconds_to_connect,
)

_STREAMED = {"SELECT", "WITH", "VALUES", "TABLE"}
"""What a server-side cursor takes; what else gives rows (SHOW, EXPLAIN) gives few."""
_FETCHED_AT_ONCE = 500
_MOST_RETURNED = 100_001
_UNSUITABLE = "/,@"
"""Make several hosts or a socket of a host's name."""
_PASSING = ("08", "53", "57", "40", "55P03", "25006")
"""Classes of errors that may pass: connections, resources, shutdowns, serialization and deadlocks, locks, a replica."""
_CANCELED = "57014"


class PostgresqlServer(DatabaseServer):
    port: int = field(5432, title="Port", ge=1, le=65535)


def _open(credentials: Credentials[PostgresqlServer]) -> AbstractContextManager[SqlSession]:
    context, config = credentials.context, credentials.config
    connect = partial(_session, config, context.tools.dialer, context.deadline)
    return lent_session(context.tools.sessions, context.user_id, config, connect, context.deadline)


def _session(config: PostgresqlServer, dialer: Dialer, deadline: float) -> SqlSession:
    try:
        return SqlSession(_DRIVER, _connect(config, dialer, deadline), dialer)
    except psycopg2.Error as error:
        raise _sign_in_error(error) from error


def _connect(config: PostgresqlServer, dialer: Dialer, deadline: float) -> Any:
    """libpq connects to the very addresses that were checked, and takes nothing from the files of the operator."""
    if any(character in config.host for character in _UNSUITABLE):
        raise ConnectorError("host: has to be one name or address", permanent=True)
    addresses = dialer.addresses(config.host, config.port, ports.POSTGRESQL_PORTS)
    with _authorities(config.authorities) as authorities:
        connection = psycopg2.connect(
            host=",".join([config.host] * len(addresses)),
            hostaddr=",".join(addresses),
            port=config.port,
            dbname=config.database,
            user=config.username,
            password=config.password,
            connect_timeout=max(2, int(seconds_to_connect(deadline) / len(addresses))),
            sslmode={"verify": "verify-full", "unverified": "require", "off": "disable"}[config.tls],
            sslrootcert=authorities if config.tls == "verify" else "/nonexistent",
            sslcertmode="disable",
            gssencmode="disable",
            passfile="/nonexistent",
            options="",  # else those of the environment count
            application_name="FlowForge",
            client_encoding="UTF8",
        )
    for register in (extras.register_default_json, extras.register_default_jsonb):
        register(connection, loads=jsonio.loads)
    return connection


@contextmanager
def _authorities(pem: str | None) -> Iterator[str]:
    """The path of a file with the certificates that are trusted: libpq reads no others."""
    if not pem:
        yield certifi.where()
        return
    with NamedTemporaryFile() as file:
        file.write(readable_pem(pem).encode())
        file.flush()
        yield file.name


def _begin(connection: Any, seconds: float, reads: bool) -> None:
    milliseconds = max(1, int(seconds * 1000))
    connection.set_session(readonly=reads, autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = {milliseconds};"
            f" SET LOCAL idle_in_transaction_session_timeout = {milliseconds + 1000}"
        )


def _stream(connection: Any, statement: Bound) -> Any:
    named = first_word(statement.text) in _STREAMED
    cursor = connection.cursor(f"read_{uuid4().hex}") if named else connection.cursor()
    cursor.itersize = _FETCHED_AT_ONCE
    cursor.execute(_without_semicolon(statement.text), statement.values)
    return _described(cursor) if named else cursor


def _described(cursor: Any) -> Any:
    """A server-side cursor knows its columns from the first rows only."""
    return _FirstRows(cursor, cursor.fetchmany(_FETCHED_AT_ONCE))


class _FirstRows:
    """A cursor whose first rows are here already."""

    def __init__(self, cursor: Any, first: list[Any]) -> None:
        self._cursor = cursor
        self._first = first
        self.description = cursor.description
        self.close = cursor.close

    def fetchmany(self, size: int) -> list[Any]:
        first, self._first = self._first, []
        return first or self._cursor.fetchmany(size)


def _run(connection: Any, statement: Bound) -> Any:
    """What RETURNING gives is cut by the server: libpq would hold all of it. The changes are made as a whole
    (https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING)."""
    cursor = connection.cursor()
    text = _without_semicolon(statement.text)
    if mentions(text, "RETURNING"):
        text = f"WITH changed AS ({text}\n) SELECT * FROM changed LIMIT {_MOST_RETURNED}"  # noqa: S608  (the user's own)
    cursor.execute(text, statement.values)
    return cursor


def _without_semicolon(text: str) -> str:
    return text.rstrip().rstrip(";")


def _explain(error: Exception) -> ConnectorError | None:
    code = getattr(error, "pgcode", None)
    if code is None and isinstance(error, psycopg2.InterfaceError | psycopg2.ProgrammingError):
        return ConnectorError(f"PostgreSQL cannot take it: {_first_line(error)}", permanent=True)
    if code is None:
        return None
    if code == _CANCELED:
        return ConnectorError("PostgreSQL did not end the statement within the step's time limit", permanent=False)
    message = getattr(getattr(error, "diag", None), "message_primary", None) or _first_line(error)
    detail = getattr(getattr(error, "diag", None), "message_detail", None)
    text = f"PostgreSQL refused it: {message}{f' ({detail})' if detail else ''} [{code}]"
    return ConnectorError(text, permanent=not code.startswith(_PASSING), answered=True)


def _sign_in_error(error: Exception) -> ConnectorError:
    """libpq gives no code where it did not come to a session; its text names the address and the reason."""
    text = _first_line(error)
    refused = "FATAL:" in text
    if "password authentication failed" in text or "no password supplied" in text:
        return ConnectorError("PostgreSQL refused the user name or password", permanent=True, answered=True)
    if refused:
        return ConnectorError(f"PostgreSQL refused the connection: {text.split('FATAL:')[1].strip()}", permanent=False)
    return ConnectorError(f"no connection to PostgreSQL: {text.split('failed: ')[-1]}", "certificate" in text)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["it did not say why"])[0]


def _test(credentials: Credentials[PostgresqlServer]) -> bool:
    """Signs in, and asks for nothing."""
    with credentials.open() as session, session.reading(Bound("SELECT 1", None)):
        return True


_DRIVER = Driver(
    name="PostgreSQL",
    dialect=Dialect(),
    error=psycopg2.Error,
    begin=_begin,
    stream=_stream,
    run=_run,
    descriptor=lambda connection: connection.fileno(),
    explain=_explain,
)

POSTGRESQL = ConnectionKind(
    "postgresql",
    PostgresqlServer,
    title="PostgreSQL",
    help="A database of PostgreSQL, or of a service that speaks its protocol.",
    icon="table",
    keywords=("postgres", "sql", "database", "supabase", "neon", "timescale", "cockroach", "redshift"),
    open=_open,
    test=_test,
)
