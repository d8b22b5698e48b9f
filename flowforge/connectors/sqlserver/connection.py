"""Connections to SQL Server, signed in; and cursors on them, which give rows while they come."""

from __future__ import annotations

import logging
import ssl
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytds import tds_base
from pytds.lcid import LANGID_ENGLISH_US
from pytds.row_strategies import tuple_row_strategy
from pytds.tds_reader import _TdsReader
from pytds.tds_session import _TdsSession
from pytds.tds_socket import _TdsSocket

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.network.service_ports import SQL_SERVER_PORTS
from flowforge.connectors.sqlserver.wire import TooMuchError, Wire

_MOST_REDIRECTS = 3
_LARGEST_ROW = 64 * 1024 * 1024
LARGEST_VALUE = 16 * 1024 * 1024
"""Bytes of a value in a row; longer ones the server cuts off, which is noticed."""
_MOST_RETURNED = 100_001
_LOGIN_FAILED = {18452, 18456, 18486, 18487, 18488}
_NO_DATABASE = 4060
_ENCRYPTED = (tds_base.PreLoginEnc.ENCRYPT_ON, tds_base.PreLoginEnc.ENCRYPT_REQ)
_UNENCRYPTED: int = tds_base.PreLoginEnc.ENCRYPT_NOT_SUP
_OPTION = struct.Struct(">BHH")

# It tells every statement, and every message of the server that it does not know.
logging.getLogger("pytds").setLevel(logging.ERROR)

_NONSENSE = (
    RuntimeError,
    AssertionError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    struct.error,
    ArithmeticError,
)
"""What the driver raises where an answer is not as it has to be."""


@dataclass(frozen=True, slots=True)
class SqlServerAccount:
    """Who signs in where."""

    host: str
    port: int
    database: str
    username: str
    password: str
    tls: ssl.SSLContext | None


def connect(account: SqlServerAccount, dialer: Dialer, deadline: float) -> TdsConnection:
    """A connection, signed in; where a server sends us on, to that one. Raises ConnectorError.

    Every address is checked on the way to it, also those that servers name.
    """
    host, port = account.host, account.port
    for _ in range(_MOST_REDIRECTS + 1):
        connection, route = _signed_in(account, host, port, dialer, deadline)
        if route is None:
            return connection
        connection.close()
        host, port = route["server"], route["port"]
    raise ConnectorError("the server sends us on and on to other ones", permanent=False)


def _signed_in(
    account: SqlServerAccount, host: str, port: int, dialer: Dialer, deadline: float
) -> tuple[TdsConnection, tds_base.Route | None]:
    plain = dialer.connect(host, port, deadline, SQL_SERVER_PORTS)
    plain.settimeout(None)
    wire = Wire(plain, _LARGEST_ROW)
    with dialer.cutting(plain, deadline), _explained(wire):
        tds = _Socket(wire, _login(account, host), account.tls)
        with tds.explaining_messages():
            return TdsConnection(tds, wire), tds.login()


class _Socket(_TdsSocket):  # type: ignore[misc]
    """The library's, which gets its connection, and encrypts by the standard library."""

    def __init__(self, wire: Wire, login: tds_base._TdsLogin, context: ssl.SSLContext | None) -> None:
        super().__init__(wire, login, row_strategy=tuple_row_strategy)
        self._main_session = _Session(
            tds=self, transport=wire, tzinfo_factory=None, row_strategy=tuple_row_strategy, env=self.env, bufsize=4096
        )
        self.context = context
        self.wire = wire

    @contextmanager
    def explaining_messages(self) -> Iterator[None]:
        """Raises ConnectorError for a sign-in that the server refuses, in its words."""
        try:
            yield
        except tds_base.DatabaseError as error:
            numbers = {message["msgno"] for message in self._main_session.messages}
            if numbers & _LOGIN_FAILED and _NO_DATABASE not in numbers:
                raise ConnectorError("SQL Server refused the user name or password", True, answered=True) from error
            raise ConnectorError(f"SQL Server refused the connection: {error.text}", False, answered=True) from error


class _Reader(_TdsReader):  # type: ignore[misc]
    def recv(self, size: int) -> bytes:
        """Raises pytds' InterfaceError where there is nothing more: the library would ask for ever."""
        received: bytes = super().recv(size)
        if size and not received:
            raise tds_base.InterfaceError("the answer ends too early")
        return received


class _Session(_TdsSession):  # type: ignore[misc]
    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._reader = _Reader(self, parts["transport"], parts["bufsize"])

    def parse_prelogin(self, octets: bytes, login: tds_base._TdsLogin) -> None:
        """Agrees on TLS (2.2.6.5): for everything, or for nothing. Raises ConnectorError."""
        told = _encryption_told(bytes(octets))
        login.server_enc_flag = _UNENCRYPTED
        if self.conn.context is None:
            if told in _ENCRYPTED:
                raise ConnectorError("the server takes connections with TLS alone, which is off", permanent=True)
            return
        if told not in _ENCRYPTED:
            raise ConnectorError("the server does not speak TLS, which the connection asks for", permanent=True)
        self.conn.wire.encrypt(self.conn.context, login.server_name, self._exchange)

    def _exchange(self, part: bytes) -> bytes:
        self._writer.begin_packet(tds_base.PacketType.PRELOGIN)
        self._writer.write(part)
        self._writer.flush()
        self._reader.begin_response()
        answer = bytearray()
        while not self._reader.stream_finished():
            answer += self._reader.recv(4096)
        return bytes(answer)


def _encryption_told(octets: bytes) -> int:
    """The option ENCRYPTION of a PRELOGIN message. Raises struct.error or IndexError for what is none."""
    for place in range(0, len(octets), _OPTION.size):
        if octets[place] == tds_base.PreLoginToken.TERMINATOR:
            break
        option, offset, _ = _OPTION.unpack_from(octets, place)
        if option == tds_base.PreLoginToken.ENCRYPTION:
            return int(octets[offset])
    return _UNENCRYPTED


def _login(account: SqlServerAccount, host: str) -> tds_base._TdsLogin:
    login = tds_base._TdsLogin()
    login.client_host_name = login.app_name = login.library = "FlowForge"
    login.server_name = host
    login.user_name, login.password, login.database = account.username, account.password, account.database
    login.enc_flag = tds_base.PreLoginEnc.ENCRYPT_NOT_SUP if account.tls is None else tds_base.PreLoginEnc.ENCRYPT_ON
    login.option_flag2 = tds_base.TDS_ODBC_ON  # ANSI_DEFAULTS
    login.client_lcid = LANGID_ENGLISH_US
    login.bytes_to_unicode = True  # of varchar, which is text
    return login


@contextmanager
def _explained(wire: Wire) -> Iterator[None]:
    """Raises ConnectorError for what the driver raises, and closes the connection."""
    try:
        yield
    except ConnectorError:
        wire.close()
        raise
    except (OSError, tds_base.Error, *_NONSENSE) as error:
        wire.close()
        raise _sign_in_error(error) from error


def _sign_in_error(error: Exception) -> ConnectorError:
    match error:
        case ssl.SSLCertVerificationError():
            return ConnectorError("the server shows no certificate that can be trusted", permanent=True)
        case OSError():
            return ConnectorError("the connection to SQL Server failed, or did not answer in time", permanent=False)
    return ConnectorError("the server does not answer as SQL Server does", permanent=False)


class TdsConnection:
    """Its transactions begin with the first statement."""

    def __init__(self, tds: _TdsSocket, wire: Wire) -> None:
        self._tds = tds
        self.wire = wire
        self.is_used = False

    @property
    def session(self) -> _TdsSession:
        return self._tds.main_session

    def begin(self, seconds: float) -> None:
        """Begins a transaction in a session of its own, whose statements have so much time."""
        self.wire.until = time.monotonic() + seconds
        self.wire.resets, self.is_used = self.is_used, True
        milliseconds = max(1, int(seconds * 1000))
        self.cursor().execute(
            f"SET LOCK_TIMEOUT {milliseconds}; SET TEXTSIZE {LARGEST_VALUE}; SET XACT_ABORT ON; SET NOCOUNT OFF"
        )

    def cursor(self) -> TdsCursor:
        return TdsCursor(self)

    def commit(self) -> None:
        self.wire.until = None  # nobody ends it any more: its connection is cut at last, and it is uncertain
        with _reading():
            self.session.commit(cont=False)

    def rollback(self) -> None:
        with _reading():
            self.session.cancel_if_pending()  # of a transaction that the server took back by itself, too
            self.session.rollback(cont=False)

    def close(self) -> None:
        self.wire.close()


class TdsCursor:
    """PEP 249, as far as it is needed."""

    def __init__(self, connection: TdsConnection) -> None:
        self._session, self._wire = connection.session, connection.wire
        self._first: list[tuple[Any, ...]] | None = None
        self.rowcount = 0

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """Its columns; those without a name are called by their number."""
        found = self._session.res_info
        if found is None:
            return None
        return [(column[0] or f"column_{place}",) for place, column in enumerate(found.description, start=1)]

    def stream(self, text: str, values: Mapping[str, Any] | Sequence[Any] | None) -> None:
        """Goes to the first rows that there are."""
        self._wire.make_room()
        self._first, self.rowcount = None, 0
        with _reading():
            self._session.execute(text, values)
            self._count()
            while self._session.res_info is None and self._session.next_set():
                self._count()

    def execute(self, text: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        """Waits for the end, too: `rowcount` is known then, and rows that the statement gives are here."""
        self.stream(text, values)
        if self._session.res_info is None:
            return
        self._first = self._fetched(_MOST_RETURNED)
        if len(self._first) < _MOST_RETURNED:
            with _reading():
                self._count()
                while self._session.next_set():
                    self._count()

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        if self._first is not None:
            rows, self._first = self._first[:size], self._first[size:]
            return rows
        return self._fetched(size)

    def close(self) -> None:
        """Nothing: what comes after it ends what is left."""

    def _fetched(self, size: int) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        while len(rows) < size:
            self._wire.make_room()
            with _reading():
                row = self._session.fetchone()
            if row is None:
                break
            _require_whole(row)
            rows.append(row)
        return rows

    def _count(self) -> None:
        self.rowcount += max(0, self._session.rows_affected)


@contextmanager
def _reading() -> Iterator[None]:
    """Raises pytds' InterfaceError for an answer that is not as it has to be."""
    try:
        yield
    except (OSError, TooMuchError):
        raise
    except _NONSENSE as error:
        raise tds_base.InterfaceError(f"what cannot be read: {error}") from error


def _require_whole(row: Sequence[Any]) -> None:
    """Raises ConnectorError for a value that the server has cut off; text has one or two bytes a character."""
    for value in row:
        size = 2 * len(value) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 0
        if size >= LARGEST_VALUE:
            raise ConnectorError(f"sql: a value has more than {LARGEST_VALUE} bytes", permanent=True)
