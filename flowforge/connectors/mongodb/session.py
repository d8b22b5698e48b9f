"""Sessions with MongoDB: one command at a time on one connection, within the step's time and in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import bson
from bson import Int64, ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError
from pymongo.synchronous.pool import Connection

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mongodb.servers import NONSENSE
from flowforge.connectors.network.dialer import Dialer

Document = Mapping[str, Any]
_FETCHED_AT_ONCE = 200
_BYTES_AT_ONCE = 8 * 1024 * 1024
_WRITTEN_AT_ONCE = 1_000
_SPARE_SECONDS = 0.5
"""The server ends a command that much before the step's deadline, so that its answer still arrives."""
_LATE = 50
_PASSING = {6, 7, 24, 43, 46, 89, 112, 133, 262, 9001, 13388, 16500}
"""Networks, locks, cursors that are gone, conflicts, shards that move (error_codes.yml); a rate (Cosmos DB)."""
_NEVER_BEGUN = {10107, 13435}
"""The server was no primary when it was asked."""
_OPTIONS: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    uuid_representation=bson.binary.UuidRepresentation.STANDARD,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_UNCERTAIN = (
    "{why} while MongoDB was changing documents: nobody knows how many were changed, so this is not tried again; look"
    " there"
)


@dataclass(slots=True)
class _Cursor:
    """Documents of one command, of which the server keeps those that were not fetched yet."""

    session: MongoSession
    collection: str
    identity: int = 0

    def documents(self, answer: Document) -> Iterator[Document]:
        """Those that the command has answered, and all that follow."""
        yield from self._batch(answer, "firstBatch")
        while self.identity:
            more = {"getMore": Int64(self.identity), "collection": self.collection, "batchSize": _FETCHED_AT_ONCE}
            yield from self._batch(self.session.ask(more), "nextBatch")

    def close(self) -> None:
        if self.identity and self.session.is_between_answers:
            with suppress(ConnectorError):  # the server forgets it by itself in ten minutes
                self.session.ask({"killCursors": self.collection, "cursors": [Int64(self.identity)]})

    def _batch(self, answer: Document, name: str) -> list[Document]:
        with _reading_answer():
            self.identity = int(answer["cursor"]["id"])
            return list(map(dict, answer["cursor"][name]))


@dataclass(slots=True)
class MongoSession:
    """Of one thread at a time. Its methods raise ConnectorError."""

    connection: Connection
    database: str
    dialer: Dialer
    deadline: float = 0.0
    """Of the step that has it, of time.monotonic."""
    is_between_answers: bool = field(default=True)

    @property
    def is_reusable(self) -> bool:
        """Whether it is alive, and nothing is left to be read."""
        return self.is_between_answers and not self.connection.closed and not self.connection.conn_closed()

    def close(self) -> None:
        self.connection.close_conn(None)

    @contextmanager
    def within_time(self) -> Iterator[MongoSession]:
        """Cuts the connection at the deadline."""
        with self.dialer.cutting_descriptor(self.connection.conn.get_conn.fileno(), self.deadline):
            yield self

    @contextmanager
    def reading(self, command: Document, *, changes: bool = False) -> Iterator[Iterator[Document]]:
        """What a find or an aggregate gives, while it comes; the server forgets what is not asked for. `changes`: a
        stage of it may write."""
        size = {"batchSize": _FETCHED_AT_ONCE}
        answer = self._timed({**command, **({"cursor": size} if "aggregate" in command else size)}, changes=changes)
        cursor = _Cursor(self, command[next(iter(command))])
        try:
            yield cursor.documents(answer)
        finally:
            cursor.close()

    def insert(self, collection: str, documents: Sequence[Document]) -> list[Any]:
        """The ids of the documents, in their order: those that have none get one."""
        named = [document if "_id" in document else {"_id": ObjectId(), **document} for document in documents]
        written = 0
        for batch in _batches(named):
            self._write({"insert": collection, "documents": batch}, written)
            written += len(batch)
        return [document["_id"] for document in named]

    def update(self, collection: str, updates: Iterable[Document]) -> dict[str, int]:
        """How many documents were found or made (`count`), `changed` and `made`. An update is that of the command: `{q,
        u, multi, upsert}`."""
        count = changed = made = 0
        for batch in _batches(updates):
            answer = self._write({"update": collection, "updates": batch})
            count, changed = count + answer["n"], changed + answer.get("nModified", 0)
            made += len(answer.get("upserted", ()))
        return {"count": count, "changed": changed, "made": made}

    def delete(self, collection: str, filter_: Document, *, many: bool) -> int:
        answer = self._write({"delete": collection, "deletes": [{"q": filter_, "limit": 0 if many else 1}]})
        return int(answer["n"])

    def _write(self, command: Document, before: int = 0) -> Document:
        """Raises ConnectorError, also where only a part was written: `before` are documents that must not be written
        again."""
        concern = {"w": "majority", "wtimeout": self._milliseconds}
        try:
            answer = self._timed({**command, "writeConcern": concern}, changes=True)
        except ConnectorError as error:
            if before:
                raise _stopped(error, before) from error
            raise
        with _reading_answer():
            written = before + int(answer["n"])
            if errors := answer.get("writeErrors"):
                refusal = _refused(errors[0]["errmsg"], errors[0]["code"])
                raise _stopped(refusal, written) if written else refusal
            if "writeConcernError" in answer:
                raise ConnectorError(_UNCERTAIN.format(why=answer["writeConcernError"]["errmsg"]), permanent=True)
        return answer

    @property
    def _milliseconds(self) -> int:
        return max(50, int((self.deadline - time.monotonic() - _SPARE_SECONDS) * 1000))

    def _timed(self, command: Document, *, changes: bool = False) -> Document:
        return self.ask({**command, "maxTimeMS": self._milliseconds}, changes=changes)

    def ask(self, command: Document, *, changes: bool = False) -> Document:
        """The answer to one command, which may have changed something where it does not come."""
        self.is_between_answers = False
        try:
            answer: Document = self.connection.command(self.database, dict(command), codec_options=_OPTIONS)
        except (PyMongoError, BSONError, OSError, *NONSENSE) as error:
            self.is_between_answers = isinstance(error, OperationFailure)
            is_late = time.monotonic() >= self.deadline - _SPARE_SECONDS
            raise _explained(error, is_late=is_late, changes=changes) from error
        self.is_between_answers = True
        return answer


def _batches(documents: Iterable[Document]) -> Iterator[list[RawBSONDocument]]:
    """As many at once as one command takes."""
    batch: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        encoded = _encoded(document)
        if batch and (len(batch) >= _WRITTEN_AT_ONCE or size + len(encoded.raw) > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded.raw)
    if batch:
        yield batch


def _encoded(document: Document) -> RawBSONDocument:
    try:
        return RawBSONDocument(bson.encode(document, codec_options=_OPTIONS))
    except (BSONError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConnectorError(f"a document cannot be written: {error}", permanent=True) from error


def _explained(error: Exception, *, is_late: bool, changes: bool) -> ConnectorError:
    match error:
        case OperationFailure() if error.code == _LATE:
            return _ended(is_late=True, changes=changes)
        case OperationFailure():
            return _refused((error.details or {}).get("errmsg"), error.code)
        case NotPrimaryError():
            return _no_primary(error, may_have_changed=changes)
        case PyMongoError() | OSError():
            return _ended(is_late=is_late, changes=changes)
    return ConnectorError(f"MongoDB cannot be asked that, or its answer not be read: {error}", permanent=True)


def _ended(*, is_late: bool, changes: bool) -> ConnectorError:
    if changes:
        why = "the step's time limit was reached" if is_late else "the connection ended"
        return ConnectorError(_UNCERTAIN.format(why=why), permanent=True)
    text = "MongoDB did not end within the step's time limit" if is_late else "the connection to MongoDB ended"
    return ConnectorError(text, permanent=False)


@contextmanager
def _reading_answer() -> Iterator[None]:
    try:
        yield
    except NONSENSE as error:
        raise ConnectorError("MongoDB answered what cannot be read", permanent=True) from error


def _refused(message: Any, code: Any) -> ConnectorError:
    text = f"MongoDB refused it: {message or 'it did not say why'} [{code}]"
    return ConnectorError(text, permanent=code not in _PASSING, answered=True)


def _stopped(error: ConnectorError, written: int) -> ConnectorError:
    return ConnectorError(f"{error} (after {written} documents were written)", permanent=True, answered=error.answered)


def _no_primary(error: NotPrimaryError, *, may_have_changed: bool) -> ConnectorError:
    code = (error.details or {}).get("code") if isinstance(error.details, dict) else None
    if may_have_changed and code not in _NEVER_BEGUN:
        return ConnectorError(_UNCERTAIN.format(why="the primary changed"), permanent=True)
    return ConnectorError("the replica set has another primary now", permanent=False)
