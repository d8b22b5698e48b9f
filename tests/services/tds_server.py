"""A server that speaks the protocol of SQL Server in front of SQLite, since none of Microsoft's can be had here.

It is written by the protocol's description, with pytds' readers and writers of values: messages, TLS inside of them,
sign-in, statements with parameters, transactions, attention. SQLite takes `[names]` and `@P1`; what else is T-SQL's own
gets the answers that a test gives.
"""

from __future__ import annotations

import select
import socket
import sqlite3
import ssl
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pytds import tds_base, tds_types
from pytds.collate import raw_collation
from pytds.tds_reader import _TdsReader
from pytds.tds_writer import _TdsWriter

from tests.connectors.certificate import Certificate
from tests.services.serving import accepting

PREFIX = "WAITFOR"
"""Statements that begin so end when the client says so."""
_TYPES = tds_types.SerializerFactory(tds_base.TDS74)
_NUMBERS = {sqlite3.IntegrityError: 2627, sqlite3.OperationalError: 208}
MORE, ERROR, _COUNTED, _CANCELLED = 0x01, 0x02, 0x10, 0x20
_RESET_DONE = struct.pack("<BHBBB", tds_base.TDS_ENVCHANGE_TOKEN, 3, 18, 0, 0)
_SP_EXECUTESQL = 10
_PACKET_BYTES = 32_768


@dataclass(frozen=True)
class Answer:
    """Columns by name and type, and rows."""

    columns: Sequence[tuple[str, Any]]
    rows: Iterable[Sequence[Any]]


@dataclass
class TdsServer:
    file: Path
    username: str
    password: str
    certificate: Certificate | None = None
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    """What is answered to statements, by their text."""
    statements: list[str] = field(default_factory=list)
    """All that were asked for."""
    resets: int = 0
    """How many requests began a new session."""
    attentions: int = 0
    connections: int = 0
    route: tuple[str, int] | None = None
    """Where clients are sent on to."""
    ends_at: str = ""
    """A statement, or COMMIT: the connection ends without an answer to it."""
    hangs_at: str = ""
    """A statement, or COMMIT: nothing is answered to it while the client waits."""
    raw: dict[str, bytes] = field(default_factory=dict)
    """Tokens that are answered to statements, as they are."""

    def administer(self, *statements: str) -> list[Any]:
        """What the last of them gives."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            return [connection.execute(statement).fetchall() for statement in statements][-1]


@contextmanager
def serving_tds(server: TdsServer) -> Iterator[TdsServer]:
    with accepting(partial(_serve, server)) as server.port:
        yield server


def _serve(server: TdsServer, client: socket.socket) -> None:
    server.connections += 1
    with (
        client,
        suppress(OSError, tds_base.Error, ssl.SSLError),
        closing(sqlite3.connect(server.file, isolation_level=None, timeout=0.2)) as own,
    ):
        _Client(_Transport(client), server, own).serve()


def _session() -> Any:
    """As far as readers and writers of values look at one."""
    login = SimpleNamespace(bytes_to_unicode=True)
    return SimpleNamespace(tzinfo_factory=None, tds_version=tds_base.TDS74, _tds=SimpleNamespace(_login=login))


class _Transport:
    """A socket, encrypted from some moment on."""

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        self.tls: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def sendall(self, data: bytes) -> None:
        if self.tls is None:
            self.plain.sendall(data)
        else:
            self.tls.write(data)
            self.plain.sendall(self.outgoing.read())

    def recv_into(self, buffer: Any, size: int = 0) -> int:
        received = self._received(size)
        buffer[: len(received)] = received
        return len(received)

    def has_news(self) -> bool:
        return bool(select.select([self.plain], [], [], 0)[0])

    def _received(self, size: int) -> bytes:
        while self.tls is not None:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                received = self.plain.recv(65_536)
                if not received:
                    return b""
                self.incoming.write(received)
        return self.plain.recv(size)


class _Client:
    def __init__(self, transport: _Transport, server: TdsServer, database: sqlite3.Connection) -> None:
        self.transport, self.server, self.database = transport, server, database
        session = _session()
        self.reader = _TdsReader(tds_session=session, transport=transport)
        self.writer = _TdsWriter(tds_session=session, bufsize=4096, transport=transport)

    def serve(self) -> None:
        self._agree_on_encryption()
        if not self._sign_in():
            return
        while True:
            kind, content = self._message()
            if kind == tds_base.PacketType.TRANS:
                self._transaction(content)
            elif kind == tds_base.PacketType.CANCEL:
                self._answer_attention()
            elif kind == tds_base.PacketType.RPC:
                self._run(*_call(content))
            else:
                self._run(_without_headers(content).decode("utf-16-le"), {})

    def _message(self) -> tuple[int, bytes]:
        """The kind of the next message, and all that it holds."""
        kind = self.reader.begin_response().type
        self.was_reset = bool(self.reader._status & 0x08) and kind != tds_base.PacketType.CANCEL
        if self.was_reset:
            self.server.resets += 1
            self.reader._status &= 1
        content = bytearray()
        while not self.reader.stream_finished():
            content += self.reader.recv(65_536)
        return int(kind or 0), bytes(content)

    @contextmanager
    def _replying(self, kind: int = tds_base.PacketType.REPLY) -> Iterator[Any]:
        self.writer.begin_packet(kind)
        yield self.writer
        self.writer.flush()

    def _agree_on_encryption(self) -> None:
        self._message()
        told = 2 if self.server.certificate is None else 1
        with self._replying() as w:
            w.write(struct.pack(">BHHB", 1, 6, 1, 0xFF) + bytes([told]))
        if self.server.certificate is not None:
            self._encrypt(self.server.certificate)

    def _encrypt(self, certificate: Certificate) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.chain, certificate.key)
        tls = context.wrap_bio(self.transport.incoming, self.transport.outgoing, server_side=True)
        is_done = False
        while not is_done:
            self.transport.incoming.write(self._message()[1])
            with suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                is_done = True
            with self._replying(tds_base.PacketType.PRELOGIN) as w:
                w.write(self.transport.outgoing.read())
        self.transport.tls = tls

    def _sign_in(self) -> bool:
        """2.2.6.4 LOGIN7."""
        content = self._message()[1]
        username, password = _login_text(content, 40), _unmangled(content, 44)
        is_known = (username, password) == (self.server.username, self.server.password)
        with self._replying() as w:
            if not is_known:
                w.write(error_token(18456, f"Login failed for user '{username}'.", severity=14))
            elif self.server.route is not None:
                _write_route(w, *self.server.route)
            if is_known:
                _write_database(w, _login_text(content, 68))
                _write_login_acknowledgement(w)
            w.write(done_token(0 if is_known else ERROR))
        return is_known

    def _transaction(self, content: bytes) -> None:
        """2.2.6.9 Transaction Manager Request."""
        [request] = struct.unpack_from("<H", _without_headers(content))
        statement, kind = {5: ("BEGIN", 8), 7: ("COMMIT", 9), 8: ("ROLLBACK", 10)}[request]
        self._note(statement)
        if self.database.in_transaction and request == 5:
            self.database.rollback()  # it was taken back with an error
        self.database.execute(statement)
        with self._replying() as w:
            if self.was_reset:
                w.write(_RESET_DONE)
            w.write(transaction_token(kind) + done_token())

    def _note(self, statement: str) -> None:
        self.server.statements.append(statement)
        if statement == self.server.hangs_at:
            self._message()
        if statement in (self.server.ends_at, self.server.hangs_at):
            raise OSError("the server ends")

    def _run(self, statement: str, parameters: dict[str, Any]) -> None:
        self._note(statement)
        if statement.startswith(PREFIX):
            self._wait_for_attention()
        elif statement in self.server.raw:
            with self._replying() as w:
                w.write(self.server.raw[statement])
        elif statement.startswith("SET "):
            with self._replying() as w:
                w.write(done_token())
        else:
            self._answer(statement, parameters)

    def _answer(self, statement: str, parameters: dict[str, Any]) -> None:
        try:
            found = self.server.answers.get(statement)
            cursor = None if found else self.database.execute(statement, parameters)
            answer = found or _answer_of(cursor)
        except sqlite3.Error as error:
            with self._replying() as w:
                w.write(error_token(_NUMBERS.get(type(error), 102), str(error)))
                w.write(done_token(ERROR))
            return
        count = max(0, cursor.rowcount) if cursor is not None else 0
        self.writer.begin_packet(tds_base.PacketType.REPLY)
        written = None if answer is None else self._write(answer)
        if answer is not None and written is None:
            self.writer.flush()
            self._message()
            self._answer_attention()
            return
        self.writer.write(done_token(_COUNTED, count if written is None else written))
        self.writer.flush()

    def _write(self, answer: Answer) -> int | None:
        """How many rows were written; None where the client wanted no more."""
        try:
            return self._write_rows(answer)
        finally:
            if isinstance(answer.rows, Generator):
                answer.rows.close()

    def _write_rows(self, answer: Answer) -> int | None:
        serializers = [_TYPES.serializer_by_type(type_, raw_collation) for _, type_ in answer.columns]
        _write_columns(self.writer, answer.columns, serializers)
        count = 0
        for row in answer.rows:
            self.writer.put_byte(tds_base.TDS_ROW_TOKEN)
            for serializer, value in zip(serializers, row, strict=True):
                serializer.write(self.writer, value)
            count += 1
            if count % 100 == 0 and self.transport.has_news():
                return None
        return count

    def _wait_for_attention(self) -> None:
        self._message()
        self._answer_attention()

    def _answer_attention(self) -> None:
        self.server.attentions += 1
        with self._replying() as w:
            w.write(done_token(_CANCELLED))


def error_token(number: int, text: str, severity: int = 16) -> bytes:
    """2.2.7.10 ERROR."""
    name = "stand-in"
    content = struct.pack("<iBBH", number, 1, severity, len(text)) + text.encode("utf-16-le")
    content += bytes([len(name)]) + name.encode("utf-16-le") + b"\0" + struct.pack("<i", 1)
    return struct.pack("<BH", tds_base.TDS_ERROR_TOKEN, len(content)) + content


def done_token(status: int = 0, count: int = 0) -> bytes:
    """2.2.7.6 DONE."""
    return struct.pack("<BHHQ", tds_base.TDS_DONE_TOKEN, status, 0, count)


def transaction_token(kind: int) -> bytes:
    """2.2.7.9 ENVCHANGE: a transaction has begun (8), was committed (9), or taken back (10)."""
    new, old = (8, 0) if kind == 8 else (0, 8)
    content = bytes([kind, new]) + b"\1" * new + bytes([old]) + b"\1" * old
    return struct.pack("<BH", tds_base.TDS_ENVCHANGE_TOKEN, len(content)) + content


def _answer_of(cursor: sqlite3.Cursor) -> Answer | None:
    """Columns of the type of their first value."""
    if cursor.description is None:
        return None
    first = cursor.fetchone()
    kinds: Sequence[Callable[[], Any]] = [_type_of(value) for value in first or [None] * len(cursor.description)]
    columns = [(column[0], kind()) for column, kind in zip(cursor.description, kinds, strict=True)]
    return Answer(columns, _with_first(first, cursor))


def _with_first(first: Any, cursor: sqlite3.Cursor) -> Generator[Any]:
    if first is not None:
        yield first
        yield from cursor


def _type_of(value: Any) -> Callable[[], Any]:
    match value:
        case int():
            return tds_types.BigIntType
        case float():
            return tds_types.FloatType
        case bytes():
            return tds_types.VarBinaryMaxType
    return tds_types.NVarCharMaxType


def _write_columns(w: Any, columns: Sequence[tuple[str, Any]], serializers: Sequence[Any]) -> None:
    """2.2.7.4 COLMETADATA."""
    w.put_byte(tds_base.TDS7_RESULT_TOKEN)
    w.put_usmallint(len(columns))
    for (name, _), serializer in zip(columns, serializers, strict=True):
        w.put_uint(0)
        w.put_usmallint(1)
        w.put_byte(serializer.type)
        serializer.write_info(w)
        w.write_b_varchar(name)


def _write_login_acknowledgement(w: Any) -> None:
    name = "stand-in"
    w.put_byte(tds_base.TDS_LOGINACK_TOKEN)
    w.put_usmallint(1 + 4 + 1 + 2 * len(name) + 4)
    w.put_byte(1)
    w.put_uint_be(tds_base.TDS74)
    w.write_b_varchar(name)
    w.put_uint_be(0)


def _write_database(w: Any, name: str) -> None:
    """2.2.7.9 ENVCHANGE, type 1."""
    w.put_byte(tds_base.TDS_ENVCHANGE_TOKEN)
    w.put_usmallint(1 + 1 + 2 * len(name) + 1)
    w.put_byte(1)
    w.write_b_varchar(name)
    w.write_b_varchar("")


def _write_route(w: Any, host: str, port: int) -> None:
    """2.2.7.9 ENVCHANGE, type 20."""
    w.put_byte(tds_base.TDS_ENVCHANGE_TOKEN)
    w.put_usmallint(1 + 2 + 5 + 2 * len(host) + 2)
    w.put_byte(20)
    w.put_usmallint(5 + 2 * len(host))
    w.put_byte(0)
    w.put_usmallint(port)
    w.put_usmallint(len(host))
    w.write_ucs2(host)
    w.put_usmallint(0)


def _without_headers(content: bytes) -> bytes:
    """2.2.5.3 ALL_HEADERS."""
    return content[struct.unpack_from("<I", content)[0] :]


def _login_text(content: bytes, place: int) -> str:
    offset, length = struct.unpack_from("<HH", content, place)
    return content[offset : offset + 2 * length].decode("utf-16-le")


def _unmangled(content: bytes, place: int) -> str:
    offset, length = struct.unpack_from("<HH", content, place)
    mangled = content[offset : offset + 2 * length]
    return bytes(((b ^ 0xA5) << 4 & 0xFF) | ((b ^ 0xA5) >> 4) for b in mangled).decode("utf-16-le")


class _Bytes:
    """A message's content as its values are read from it."""

    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)

    def recv(self, size: int) -> bytes:
        taken, self._left = bytes(self._left[:size]), self._left[size:]
        return taken

    def recv_into(self, buffer: Any, size: int) -> int:
        taken = self.recv(size)
        buffer[: len(taken)] = taken
        return len(taken)


def _call(content: bytes) -> tuple[str, dict[str, Any]]:
    """2.2.6.6 RPC Request: the statement that sp_executesql is given, and its parameters."""
    content = _without_headers(content)
    marker, procedure, _ = struct.unpack_from("<hhH", content)
    assert (marker, procedure) == (-1, _SP_EXECUTESQL)
    reader = _TdsReader(tds_session=_session(), transport=_Bytes(_in_packets(content[6:])), bufsize=_PACKET_BYTES)
    reader.begin_response()
    values = []
    while not reader.stream_finished():
        name = reader.read_ucs2(reader.get_byte())
        reader.get_byte()
        serializer = _TYPES.get_type_serializer(reader.get_byte()).from_stream(reader)
        values.append((name, serializer.read(reader)))
    (_, statement), _, *given = values
    return statement, {name.removeprefix("@"): _for_sqlite(value) for name, value in given}


def _in_packets(content: bytes) -> bytes:
    size = _PACKET_BYTES - 8
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    headers = (
        struct.pack(">BBHHBx", 4, piece is pieces[-1], len(piece) + 8, 0, number % 256)
        for number, piece in enumerate(pieces)
    )
    return b"".join(header + piece for header, piece in zip(headers, pieces, strict=True))


def _for_sqlite(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bytes | None) else str(value)
