"""Connections to PostgreSQL, and transactions on them; the types are SQLAlchemy's, for who only hands them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.prepared import prepare_statements
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.sentences import sentence

__all__ = [
    "Connection",
    "Engine",
    "driver_error",
    "engine_options",
    "make_engine",
    "passing",
    "rehearsal",
    "savepoint",
    "sqlalchemy_url",
    "transaction",
    "unavailable_when_down",
    "within",
]

CONNECT_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_MS = 30_000


def engine_options(pool_size: int, application_name: str) -> dict[str, object]:
    """Keyword arguments for create_engine; Flask-SQLAlchemy takes the same."""
    return {
        "pool_size": pool_size,
        "max_overflow": 0,
        "hide_parameters": True,  # they may be secrets, and an error's text goes to the log
        "pool_timeout": 10,
        "pool_pre_ping": False,  # a broken connection raises once and empties the pool; a ping would cost every request
        "json_serializer": jsonio.dumps_for_database,
        "json_deserializer": jsonio.loads,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": application_name,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
            " -c idle_in_transaction_session_timeout=60000",
        },
    }


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as people write it, with the driver we use; `postgres://` is accepted."""
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg2"} or not separator:
        raise ValueError("POSTGRES_URL must start with postgresql://")
    return f"postgresql+psycopg2://{rest}"


def make_engine(url: str, *, pool_size: int = 5, application_name: str = "flowforge") -> Engine:
    engine = create_engine(sqlalchemy_url(url), **engine_options(pool_size, application_name))
    prepare_statements(engine)
    return engine


_AWAY = ("08", "25006", "40", "53", "55P03", "57P0", "58")
"""SQLSTATEs (PostgreSQL, appendix A) that pass: no connection, a standby, a rolled back or deadlocked transaction, no
room, a lock that was not given, a server that starts or stops, trouble of its operating system."""
_QUERY_CANCELED = "57014"


def passing(error: DBAPIError | PoolTimeout) -> Unavailable | TooMuchAtOnce | None:
    """Tells by its SQLSTATE whether the same may succeed later: Unavailable where PostgreSQL is away or busy,
    TooMuchAtOnce where a statement took too long, None where it refuses what it was asked."""
    if isinstance(error, PoolTimeout):
        return Unavailable(sentence("PostgreSQL does not answer"))
    state = getattr(error.orig, "pgcode", None)
    if error.connection_invalidated or (state is None and isinstance(error, OperationalError | InterfaceError)):
        return Unavailable(sentence("PostgreSQL does not answer"))
    if state == _QUERY_CANCELED:
        return TooMuchAtOnce(sentence("PostgreSQL took too long for it"))
    return (
        Unavailable(sentence("PostgreSQL cannot do it now (SQLSTATE %(state)s)", state=state))
        if (state or "").startswith(_AWAY)
        else None
    )


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    """Turns errors that pass into Unavailable or TooMuchAtOnce; others are raised as they are."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        passes = passing(error)
        if passes is None:
            raise
        raise passes from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection for one transaction, which is committed at the end of the block, or rolled back where it raises.
    Raises Unavailable where PostgreSQL does not answer."""
    with unavailable_when_down(), engine.begin() as connection:
        yield connection


def within(session: Session) -> Callable[[], AbstractContextManager[Connection]]:
    """What opens transactions elsewhere, for work that belongs to the session's own: whoever has that commits."""
    return lambda: nullcontext(session.connection())


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """A part of a transaction that is undone alone where it raises. Raises Unavailable."""
    with unavailable_when_down(), connection.begin_nested():
        yield


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Connection]:
    """A transaction of which nothing is kept. Raises Unavailable."""
    with unavailable_when_down(), engine.connect() as connection:
        yield connection


def driver_error(error: BaseException) -> BaseException:
    """The database's own error, where SQLAlchemy has wrapped it; any other as it is."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
