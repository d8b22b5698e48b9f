"""The event bus on Valkey (or Redis) Streams, with consumer groups: the engine of the embedded default.

A stream per topic. PostgreSQL is the truth, so a Valkey that is emptied costs nothing but a resend: groups are made
again on the next poll, at the earliest message. For the same reason a stream is bounded, in messages and in bytes,
whatever its groups do: one that nobody reads must not fill the server for everything else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from flowforge import events
from flowforge.bus.breaker import Breaker
from flowforge.bus.port import Delivery, Message
from flowforge.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_LENGTH = 500_000
"""Bound of a stream whatever its groups do; what a hopelessly slow group misses is resent from PostgreSQL."""
MAX_BYTES = 64 * 1024 * 1024
"""Bound of a stream in memory of the server: four of this size leave half of the embedded Valkey to others."""
_LENGTHS = {events.DEAD_LETTERS: 1_000}
"""Lengths of streams that are cut short. Nothing of ours reads the dead letters there, and PostgreSQL holds them."""
_MEASURED_EVERY = 16
"""A stream is measured whenever a publisher has added this part of its bound to it."""
_KEPT_WHEN_FULL = 0.75
_LONGEST_BLOCK_SECONDS = 5.0
_FORGET_MEMBERS_AFTER_MS = 10 * 60 * 1000
_REFUSALS = (ResponseError, AuthenticationError, BusyLoadingError)
"""Refusals of a server that answers. It recovers by itself (loading, full, a replica) or an operator mends it (a
password, a permission, a key of another kind where a stream should be), so all of them are waited out."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A consumer group of a stream. `lag`: entries that it has not seen; `pending`: those not acknowledged."""

    name: str
    lag: int
    pending: int
    last_delivered: bytes


class StreamsBus:
    """`readers` names the groups that must exist on a topic before what all have read is trimmed from it."""

    def __init__(
        self,
        redis: Redis,
        *,
        claim_after_seconds: float = 30,
        readers: Mapping[str, frozenset[str]] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._redis = redis
        self._claim_after_seconds = claim_after_seconds
        self._readers = readers or {}
        self._max_bytes = max_bytes
        self._breaker = Breaker("the event bus (Valkey)", (RedisConnectionError, RedisTimeoutError))
        self._unmeasured: dict[str, int] = {}
        """Bytes that were added to each topic since it was last measured. Threads may lose a count: it is a hint."""

    def publish(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        with _unavailable(), self._breaker.guard():
            pipeline: Any = self._redis.pipeline(transaction=False)
            for message in messages:
                # What `xadd` puts together, with all that it may be asked for, takes it longer than sending.
                most = _LENGTHS.get(message.topic, MAX_LENGTH)
                fields = ("k", message.key, "v", message.value)
                pipeline.execute_command("XADD", _stream(message.topic), "MAXLEN", "~", most, "*", *fields)
            try:
                _raise_refusal(pipeline.execute(raise_on_error=False))
            except OutOfMemoryError:  # a server that is full refuses to add, but not to trim
                self._keep_within_bytes({message.topic for message in messages})
                raise
            self._keep_within_bytes(self._find_grown_topics(messages))

    def _find_grown_topics(self, messages: Sequence[Message]) -> set[str]:
        """Returns the topics to which so much was added that they are worth measuring."""
        for message in messages:
            self._unmeasured[message.topic] = self._unmeasured.get(message.topic, 0) + len(message.value)
        enough = self._max_bytes // _MEASURED_EVERY
        return {topic for topic in {message.topic for message in messages} if self._unmeasured[topic] >= enough}

    def _keep_within_bytes(self, topics: Iterable[str]) -> None:
        """Drops the oldest messages of the streams that take more memory than they may."""
        for topic in topics:
            self._unmeasured[topic] = 0
            taken = self._redis.memory_usage(_stream(topic)) or 0
            if taken > self._max_bytes:
                kept = int(self._redis.xlen(_stream(topic)) * _KEPT_WHEN_FULL * self._max_bytes / taken)
                dropped = self._redis.xtrim(_stream(topic), maxlen=kept, approximate=True)
                logger.warning("%s took %d bytes: its %s oldest messages are dropped", topic, taken, dropped)

    def subscribe(self, topics: Sequence[str], group: str, member: str) -> StreamsSubscription:
        return StreamsSubscription(self._redis, topics, group, member, self._claim_after_seconds, self._readers)

    def lag(self) -> dict[tuple[str, str], int]:
        with _unavailable():
            found = {}
            for topic in self._readers:
                for group in _groups(self._redis, topic):
                    found[topic, group.name] = group.lag + group.pending
            return found

    def make_missing_topics(self) -> None:
        """Makes nothing: a stream comes into being with its first message."""

    def refuse_rivals(self) -> None:
        """Refuses nobody: no other implementation reads these streams."""

    def ping(self) -> None:
        with _unavailable():
            self._redis.ping()

    def close(self) -> None:
        """The connection belongs to the caller that made it."""


class StreamsSubscription:
    """One member of a group on one or several streams."""

    def __init__(
        self,
        redis: Redis,
        topics: Sequence[str],
        group: str,
        member: str,
        claim_after_seconds: float,
        readers: Mapping[str, frozenset[str]],
    ) -> None:
        self._redis = redis
        self._topics = tuple(topics)
        self._group = group
        self._member = member
        self._claim_after_ms = int(claim_after_seconds * 1000)
        self._readers = readers
        self._next_care = 0.0
        self._create_groups()

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        with _unavailable():
            if time.monotonic() >= self._next_care:
                self._next_care = time.monotonic() + min(5.0, self._claim_after_ms / 2000)
                self._trim()
                claimed = self._claim(limit)
                if claimed:
                    return claimed
            try:
                return self._read(limit, timeout)
            except ResponseError as error:
                if not _has_code(error, "NOGROUP"):
                    raise
                self._create_groups()  # the server was emptied
                return []

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        by_topic: dict[str, list[str]] = {}
        for delivery in deliveries:
            by_topic.setdefault(delivery.topic, []).append(delivery.position)
        if not by_topic:
            return
        with _unavailable():
            pipeline = self._redis.pipeline(transaction=False)
            for topic, positions in by_topic.items():
                pipeline.xack(_stream(topic), self._group, *positions)
            _raise_refusal(pipeline.execute(raise_on_error=False))

    def close(self) -> None:
        """Removes this member where it holds nothing; what it holds is claimed by another after the claim time."""
        with _unavailable():
            for topic in self._topics:
                if self._holds_nothing(topic):
                    self._redis.xgroup_delconsumer(_stream(topic), self._group, self._member)

    def _read(self, limit: int, timeout: float) -> list[Delivery]:
        wait_ms = int(min(timeout, _LONGEST_BLOCK_SECONDS) * 1000)
        answer = self._redis.xreadgroup(
            self._group,
            self._member,
            {_stream(topic): ">" for topic in self._topics},
            count=limit,
            block=wait_ms if wait_ms > 0 else None,
        )
        return list(_deliveries(answer))

    def _claim(self, limit: int) -> list[Delivery]:
        """Takes over what a member has held for too long: it died, or its handler failed."""
        found: list[Delivery] = []
        for topic in self._topics:
            try:
                _next, entries, _deleted = self._redis.xautoclaim(
                    _stream(topic), self._group, self._member, self._claim_after_ms, "0-0", count=limit
                )
            except ResponseError as error:
                if not _has_code(error, "NOGROUP"):
                    raise
                self._create_groups()
                continue
            found += _entries(topic, entries)
            self._forget_members(topic)
        return found

    def _forget_members(self, topic: str) -> None:
        for consumer in self._redis.xinfo_consumers(_stream(topic), self._group):
            if consumer["pending"] == 0 and consumer["idle"] > _FORGET_MEMBERS_AFTER_MS:
                self._redis.xgroup_delconsumer(_stream(topic), self._group, consumer["name"])

    def _trim(self) -> None:
        """Drops what every group has acknowledged."""
        for topic in self._topics:
            groups = _groups(self._redis, topic)
            if not self._readers.get(topic, frozenset()) <= {group.name for group in groups}:
                continue
            oldest = [self._oldest_needed(topic, group) for group in groups]
            if oldest:
                self._redis.xtrim(_stream(topic), minid=b"%d-%d" % min(oldest), approximate=True)

    def _oldest_needed(self, topic: str, group: _Group) -> tuple[int, int]:
        if group.pending:
            summary = self._redis.xpending(_stream(topic), group.name)
            if summary["min"]:
                return _parse_id(summary["min"])
        return _parse_id(group.last_delivered)

    def _holds_nothing(self, topic: str) -> bool:
        """Whether this member has nothing pending. A group that went with an emptied server has no members either."""
        try:
            return not self._redis.xpending_range(_stream(topic), self._group, "-", "+", 1, self._member)
        except ResponseError as error:
            if not _has_code(error, "NOGROUP"):
                raise
            return False

    def _create_groups(self) -> None:
        with _unavailable():
            for topic in self._topics:
                try:
                    self._redis.xgroup_create(_stream(topic), self._group, id="0", mkstream=True)
                except ResponseError as error:
                    if not _has_code(error, "BUSYGROUP"):
                        raise


@contextmanager
def _unavailable() -> Iterator[None]:
    """A server that refuses answers, but carries nothing."""
    try:
        yield
    except _REFUSALS as error:
        raise Unavailable(f"the event bus (Valkey) refuses: {error}") from error
    except RedisError as error:
        raise Unavailable("the event bus (Valkey) does not answer") from error


def _raise_refusal(answers: Iterable[Any]) -> None:
    """Raises the first refusal, in the server's own words: the client's would quote what was to be published."""
    for answer in answers:
        if isinstance(answer, RedisError):
            raise answer


def _has_code(error: ResponseError, code: str) -> bool:
    return code in str(error)


def _stream(topic: str) -> str:
    return f"flowforge:{topic}"


def _groups(redis: Redis, topic: str) -> list[_Group]:
    try:
        found = redis.xinfo_groups(_stream(topic))
    except ResponseError as error:
        if not _has_code(error, "no such key"):  # no such stream yet
            raise
        return []
    return [
        _Group(group["name"].decode(), group["lag"] or 0, group["pending"], group["last-delivered-id"])
        for group in found
    ]


def _parse_id(text: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence)


def _deliveries(answer: Any) -> Iterator[Delivery]:
    pairs = answer.items() if isinstance(answer, dict) else answer or ()
    for stream, entries in pairs:
        topic = stream.decode().removeprefix("flowforge:")
        yield from _entries(topic, entries)


def _entries(topic: str, entries: Any) -> list[Delivery]:
    """An entry that no bus of ours has written is delivered too, for its reader to bury: it would come again for
    ever."""
    return [
        Delivery(topic, fields.get(b"k", b"").decode("utf-8", "replace"), fields.get(b"v", b""), position.decode())
        for position, fields in entries
        if fields is not None
    ]
