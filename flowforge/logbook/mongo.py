"""The log in MongoDB: the collection the originals write (contract.md, section 5), read in every encoding they left.

Ids are written as text. Reading matches text, BSON binary subtype 4, and subtype 3 in Java's legacy byte order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bson import ObjectId
from bson.binary import Binary, UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import ASCENDING, MongoClient
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

from flowforge import jsonio
from flowforge.errors import Unavailable
from flowforge.logbook.bson_form import storable
from flowforge.logbook.clock import LogClock
from flowforge.logbook.cursor import Position, parse_cursor
from flowforge.logbook.port import COUNT_LIMIT, PAGE_BYTES, LogEntry, LogPage, LogQuery, NewEntry

_ADOPTIONS = "flowforge_adoptions"
DATABASE, COLLECTION = "flowforge_logs", "execution_logs"
TIMEOUT_SECONDS = 5.0
_DUPLICATE = 11000
_EXPIRY = "flowforge_expiry"
_BY_POSITION = [("timestamp", ASCENDING), ("_id", ASCENDING)]
_IDS = {"user_id": "userId", "workflow_id": "workflowId", "execution_id": "executionId", "event_id": "eventId"}
Document = dict[str, Any]
"""A BSON document, or a query for documents."""
_OPTIONS: CodecOptions[Document] = CodecOptions(
    tz_aware=True, tzinfo=UTC, uuid_representation=UuidRepresentation.UNSPECIFIED
)


class MongoLogStore:
    """See flowforge.logbook.port. Indexes are made on first use; old entries expire by a TTL index.

    A collection that the originals left keeps what is in it for the whole retention, counted from the adoption: the TTL
    index is made once that is over. Entries of ours that are old enough to expire do not exist before.
    """

    def __init__(self, uri: str, *, retention_days: int, timeout: float = TIMEOUT_SECONDS) -> None:
        milliseconds = int(timeout * 1000)
        self._client: MongoClient[Document] = MongoClient(
            uri,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=3 * milliseconds,
            connect=False,
        )
        self._retention_days = retention_days
        self._clock = LogClock()
        self._prepared = False

    def append(self, entries: Sequence[NewEntry]) -> list[LogEntry]:
        if not entries:
            return []
        ids, moment = self._clock.stamp(len(entries))
        documents = [_document(entry, id_, moment) for entry, id_ in zip(entries, ids, strict=True)]
        with self._asking():
            duplicates = self._insert(documents)
        return [_entry(document) for index, document in enumerate(documents) if index not in duplicates]

    def missing(self, dedup_keys: Sequence[str]) -> set[str]:
        with self._asking():
            found = self._logs().find({"dedupKey": {"$in": list(dedup_keys)}}, {"dedupKey": 1, "_id": 0})
            return set(dedup_keys) - {document["dedupKey"] for document in found}

    def find(
        self, query: LogQuery, *, page: int, size: int, newest_first: bool = True, most_bytes: int = PAGE_BYTES
    ) -> LogPage:
        wanted = _filter(query)
        direction = -1 if newest_first else 1
        with self._asking():
            logs = self._logs()
            found = logs.find(wanted).sort([("timestamp", direction), ("_id", direction)]).skip(page * size).limit(size)
            entries, truncated = _within(map(_entry, found), most_bytes)
            total = logs.count_documents(wanted, limit=COUNT_LIMIT)
        return LogPage(entries, total, truncated)

    def follow(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[LogEntry]:
        with self._asking():
            found = self._logs().find(_behind(user_id, execution_id, after)).sort(_BY_POSITION).limit(limit)
            return [_entry(document) for document in found]

    def positions(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[Position]:
        with self._asking():
            wanted = _behind(user_id, execution_id, after)
            found = self._logs().find(wanted, {"timestamp": 1}).sort(_BY_POSITION).limit(limit)
            return [(document["timestamp"], str(document["_id"])) for document in found]

    def prune(self, before: datetime, rows: int) -> int:
        """MongoDB expires them itself, by an index that is made here where adopted entries had to be kept until now;
        and so are all others, where somebody has dropped the collection or given MongoDB an empty volume."""
        with self._asking():
            self._prepare(self._logs())
        return 0

    def forget(self, user_id: UUID, rows: int) -> int:
        with self._asking():
            theirs = self._logs().find({"userId": _any_form(user_id)}, {"_id": 1}).limit(rows)
            deleted = self._logs().delete_many({"_id": {"$in": [document["_id"] for document in theirs]}})
            return deleted.deleted_count

    def delete_of(self, user_id: UUID, execution_ids: Sequence[UUID], dedup_keys: Sequence[str] = ()) -> None:
        executions = [form for id_ in execution_ids for form in _any_form(id_)["$in"]]
        with self._asking():
            for found in ({"executionId": {"$in": executions}}, {"dedupKey": {"$in": list(dedup_keys)}}):
                self._logs().delete_many({"userId": _any_form(user_id), **found})

    def ping(self) -> None:
        with self._asking():
            self._client.admin.command("ping")

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raises Unavailable where MongoDB is away. It may come back with an empty volume: the next question prepares
        the collection once more, so that what is then written twice still is kept once."""
        try:
            yield
        except PyMongoError as error:
            if not is_away(error):
                raise
            self._prepared = False
            raise Unavailable(f"MongoDB does not answer: {type(error).__name__}") from error

    def _insert(self, documents: Sequence[Document]) -> set[int]:
        """Inserts in one round trip; returns the indexes of those that were there already."""
        try:
            self._logs().insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = error.details["writeErrors"]
            if any(failure["code"] != _DUPLICATE for failure in failures):
                raise
            return {failure["index"] for failure in failures}
        return set()

    def _logs(self) -> Collection[Document]:
        database = self._client.get_default_database(DATABASE)
        logs = database.get_collection(COLLECTION, codec_options=_OPTIONS)
        if not self._prepared:
            self._prepare(logs)
            self._prepared = True
        return logs

    def _prepare(self, logs: Collection[Document]) -> None:
        for field in ("userId", "executionId", "workflowId"):
            logs.create_index([(field, ASCENDING), *_BY_POSITION])
        logs.create_index(
            [("dedupKey", ASCENDING)], unique=True, partialFilterExpression={"dedupKey": {"$exists": True}}
        )
        self._expire_old(logs)

    def _expire_old(self, logs: Collection[Document]) -> None:
        retention = timedelta(days=self._retention_days)
        adopted_at = _adopted_at(logs)
        if adopted_at is not None and datetime.now(UTC) - retention < adopted_at:
            return
        seconds = int(retention.total_seconds())
        try:
            logs.create_index([("timestamp", ASCENDING)], name=_EXPIRY, expireAfterSeconds=seconds)
        except OperationFailure:  # it is there with another age: the setting was changed
            logs.drop_index(_EXPIRY)
            logs.create_index([("timestamp", ASCENDING)], name=_EXPIRY, expireAfterSeconds=seconds)


def _adopted_at(logs: Collection[Document]) -> datetime | None:
    """Returns when entries of the originals were first found in the collection, and notes it; None where none were."""
    adoptions = logs.database.get_collection(_ADOPTIONS, codec_options=_OPTIONS)
    noted = adoptions.find_one({"_id": logs.name})
    if noted is None and _EXPIRY not in logs.index_information() and _holds_entries_of_others(logs):
        adoptions.update_one({"_id": logs.name}, {"$setOnInsert": {"adoptedAt": datetime.now(UTC)}}, upsert=True)
        noted = adoptions.find_one({"_id": logs.name})
    return noted["adoptedAt"] if noted else None


def _holds_entries_of_others(logs: Collection[Document]) -> bool:
    first = logs.find_one()  # in the order of insertion: there is no index by time yet
    return first is not None and "dedupKey" not in first


_AWAY = frozenset(
    {6, 7, 13, 18, 24, 46, 50, 64, 89, 91, 112, 189, 262, 8000, 9001, 10107, 11600, 11602, 13435, 13436, 14031}
)
"""Codes of a server that is away, busy or full, or lets nobody in (MongoDB, error_codes.yml): unreachable, not signed
in, stepping down, shutting down, out of time or of space, in conflict with another write."""


def is_away(error: PyMongoError) -> bool:
    """Whether the same may succeed later: MongoDB is away or busy, rather than that it refuses what it was sent."""
    if isinstance(error, BulkWriteError):
        refused = {failure["code"] for failure in error.details["writeErrors"]} - {_DUPLICATE}
        return not refused or not refused.isdisjoint(_AWAY)
    if isinstance(error, OperationFailure):
        return error.code in _AWAY or error.has_error_label("RetryableWriteError")
    return isinstance(error, ConnectionFailure)


def _document(entry: NewEntry, id_: str, moment: datetime) -> Document:
    return {
        "_id": ObjectId(id_),
        "userId": str(entry.user_id),
        "workflowId": _text(entry.workflow_id),
        "executionId": _text(entry.execution_id),
        "eventId": _text(entry.event_id),
        "eventType": entry.event_type,
        "status": entry.status,
        "data": storable(entry.data),
        "timestamp": moment,
        "dedupKey": entry.dedup_key,
    }


def _entry(document: Document) -> LogEntry:
    ids = {name: _uuid(document.get(field)) for name, field in _IDS.items()}
    data = document.get("data")
    return LogEntry(
        id=str(document["_id"]),
        event_type=str(document.get("eventType", "")),
        status=str(document.get("status", "")),
        data=_as_plain(data) if isinstance(data, dict) else None,
        timestamp=document["timestamp"],
        **ids,
    )


def _within(entries: Iterable[LogEntry], most_bytes: int) -> tuple[tuple[LogEntry, ...], frozenset[str]]:
    """Returns the entries, without the data that exceed the limit, and the ids of those that lack them."""
    kept: list[LogEntry] = []
    cut, behind = set(), 0
    for entry in entries:
        size = len(jsonio.dumps(entry.data)) if entry.data else 0
        if behind and behind + size > most_bytes:
            cut.add(entry.id)
        kept.append(replace(entry, data=None) if entry.id in cut else entry)
        behind += size
    return tuple(kept), frozenset(cut)


def _filter(query: LogQuery) -> Document:
    wanted: Document = {"userId": _any_form(query.user_id)}
    for name, field in _IDS.items():
        value = getattr(query, name)
        if name != "user_id" and value is not None:
            wanted[field] = _any_form(value)
    if query.event_type:
        wanted["eventType"] = query.event_type
    if query.status:
        wanted["status"] = query.status
    span = {operator: moment for operator, moment in (("$gte", query.start), ("$lte", query.end)) if moment}
    if span:
        wanted["timestamp"] = span
    return wanted


def _behind(user_id: UUID, execution_id: UUID, after: str | None) -> Document:
    wanted: Document = {"executionId": _any_form(execution_id), "userId": _any_form(user_id)}
    if after is not None:
        moment, id_ = parse_cursor(after)
        wanted["$or"] = [{"timestamp": {"$gt": moment}}, {"timestamp": moment, "_id": {"$gt": ObjectId(id_)}}]
    return wanted


def _any_form(value: UUID) -> dict[str, list[Any]]:
    legacy = Binary.from_uuid(value, UuidRepresentation.JAVA_LEGACY)
    return {"$in": [str(value), legacy, Binary.from_uuid(value, UuidRepresentation.STANDARD)]}


def _uuid(value: Any) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        if isinstance(value, Binary):
            java = value.subtype == 3
            return value.as_uuid(UuidRepresentation.JAVA_LEGACY if java else UuidRepresentation.STANDARD)
        return UUID(value) if isinstance(value, str) else None
    except (ValueError, BSONError):
        return None


def _as_plain(value: Any) -> Any:
    """Turns values that only BSON knows into JSON."""
    if isinstance(value, dict):
        return {str(name): _as_plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_plain(inner) for inner in value]
    if isinstance(value, Binary):
        return _text(_uuid(value)) or value.hex()
    return str(value) if isinstance(value, ObjectId | UUID) else value


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
