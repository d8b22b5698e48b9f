"""The event bus on Apache Kafka.

Keys are partitioned by murmur2, as Java's client does it, so that mixed producers keep an execution's messages together
(contract.md, section 3.1). No headers are sent and none are read. Offsets are committed by `ack` only.

Where Kafka is known to be away, `publish`, `lag` and `ping` say so at once (flowforge.bus.link); so does `publish`
where it has just kept a caller waiting in vain (flowforge.bus.breaker).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    CommitFailedError,
    IllegalStateError,
    InvalidRecordError,
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NetworkExceptionError,
    NodeNotReadyError,
    PolicyViolationError,
    RecordListTooLargeError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)
from kafka.structs import OffsetAndMetadata

from flowforge import events
from flowforge.bus.breaker import Breaker
from flowforge.bus.former_groups import Former, GroupStart, begin_where_they_stood, group_start, refuse_beside
from flowforge.bus.kafka_lines import thin_out_lines
from flowforge.bus.link import Client, Link
from flowforge.bus.port import Delivery, Message
from flowforge.errors import Unavailable

logger = logging.getLogger(__name__)

PUBLISH_SECONDS = 10.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_BOOTSTRAP_MS = 5_000
_FETCH_WAIT_MS = 100
_FAILURES = (KafkaError, OSError)
_GONE = (
    OSError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NetworkExceptionError,
    NodeNotReadyError,
    RequestTimedOutError,
)
"""Errors that say that no broker answers; other errors are about the request."""


class KafkaBus:
    """`readers` names the topics that there have to be, and the groups that read each. Connects on first use.

    `patience` is how many seconds a caller waits for a connection, before the brokers are known to be away;
    `publish_patience` how many for an acknowledgement, on a connection that there is. `former` names the groups of
    another installation from which groups of ours take over, `rivals` those beside which a group does not begin.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        client_id: str,
        readers: Mapping[str, frozenset[str]] | None = None,
        *,
        patience: float = PUBLISH_SECONDS,
        publish_patience: float | None = None,
        former: Former | None = None,
        rivals: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        thin_out_lines()
        self._common: dict[str, Any] = {
            "bootstrap_servers": list(brokers),
            "client_id": client_id,
            "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        }
        self._readers = readers or {}
        self._former = former or {}
        self._rivals = rivals or {}
        self._patience = patience
        self._publish_patience = patience if publish_patience is None else publish_patience
        self._breaker = Breaker("Kafka", (Unavailable,))
        self._acknowledged_at = time.monotonic()
        """When brokers last acknowledged what was published, or a producer was made."""
        self._producer = Link("Kafka", self._new_producer, _end, _FAILURES)
        self._admin = Link("Kafka", self._new_admin, lambda admin: admin.close(), _FAILURES)

    def publish(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        with self._breaker.guard(), _using(self._producer, self._patience) as producer:
            try:
                self._send(producer, messages)
            except KafkaTimeoutError as error:
                if time.monotonic() - self._acknowledged_at >= PUBLISH_SECONDS:
                    raise  # by now it has given up what it holds: another one is made
                raise Unavailable("Kafka has not acknowledged a message yet") from error
            self._acknowledged_at = time.monotonic()

    def _send(self, producer: KafkaProducer, messages: Sequence[Message]) -> None:
        until = time.monotonic() + self._publish_patience
        sent = [producer.send(message.topic, message.value, key=message.key.encode() or None) for message in messages]
        producer.flush(timeout=_left(until))
        for future in sent:
            future.get(timeout=_left(until))

    def subscribe(self, topics: Sequence[str], group: str, member: str) -> KafkaSubscription:
        with _using(self._admin, self._patience) as admin:
            refuse_beside(admin, group, self._rivals.get(group, ()))
            _make_missing(admin, topics)
            for topic in topics:
                begin_where_they_stood(admin, topic, group, self._former.get((topic, group), ()))
            return KafkaSubscription(self._common, topics, group, member)

    def lag(self) -> dict[tuple[str, str], int]:
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            ends = _ends(admin, [topic for topic in self._readers if topic in existing])
            groups = sorted(set().union(*self._readers.values())) if self._readers else []
            committed = {group: admin.list_group_offsets({group: None}).get(group, {}) for group in groups}
        found: dict[tuple[str, str], int] = {}
        for topic, readers in self._readers.items():
            for group in readers:
                found[topic, group] = sum(
                    end - _offset_of(committed[group].get(partition))
                    for partition, end in ends.items()
                    if partition.topic == topic
                )
        return found

    def group_starts(self) -> list[GroupStart]:
        """Returns where each group begins, in the topics that exist. Raises Unavailable."""
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            read = [(topic, group) for topic, groups in self._readers.items() for group in sorted(groups)]
            return [
                group_start(admin, topic, group, self._former.get((topic, group), ()))
                for topic, group in read
                if topic in existing
            ]

    def begin_where_they_stood(self) -> None:
        """Moves the groups that have read nothing yet to where the former ones stood, as `subscribe` would. Raises
        Unavailable."""
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            for (topic, group), former in self._former.items():
                if topic in existing:
                    begin_where_they_stood(admin, topic, group, former)

    def refuse_rivals(self) -> None:
        with _using(self._admin, self._patience) as admin:
            for group, others in self._rivals.items():
                refuse_beside(admin, group, others)

    def make_missing_topics(self) -> None:
        with _using(self._admin, self._patience) as admin:
            _make_missing(admin, [*self._readers, events.DEAD_LETTERS])

    def ping(self) -> None:
        self.make_missing_topics()
        self.refuse_rivals()

    def close(self) -> None:
        """Close at once: `publish` waits for what it sends, so that nothing is left to send."""
        self._producer.close()
        self._admin.close()

    def _new_producer(self) -> KafkaProducer:
        self._acknowledged_at = time.monotonic()
        return KafkaProducer(
            **self._common,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_request_size=MAX_MESSAGE_BYTES,
            max_block_ms=int(self._publish_patience * 1000),
            request_timeout_ms=int(PUBLISH_SECONDS * 500),
            delivery_timeout_ms=int(PUBLISH_SECONDS * 1000),
            reconnect_backoff_max_ms=1000,
        )

    def _new_admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(**self._common, request_timeout_ms=5_000)


def _end(producer: KafkaProducer) -> None:
    """Ends a producer, which it does only when nothing waits to be sent: what dead brokers never took has to expire
    first."""
    producer.close(timeout=PUBLISH_SECONDS + 2)


def _make_missing(admin: KafkaAdminClient, topics: Sequence[str]) -> None:
    """Makes topics with the broker's own partition count, as auto-creation would. Raises Unavailable, which names what
    cannot be made and why."""
    missing = sorted(set(topics) - set(admin.list_topics()))
    for topic in missing:
        try:
            admin.create_topics([topic], wait_for_metadata=True)
            logger.warning("Made Kafka's topic %s, which did not exist", topic)
        except TopicAlreadyExistsError:
            continue
        except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
            raise Unavailable(
                f"Kafka has no topics {', '.join(missing)}, and this user may not make them: "
                "it needs the right CREATE on them or on the cluster, or somebody who makes them"
            ) from error
        except BrokerResponseError as error:
            raise Unavailable(f"Kafka has no topic {topic}, and refuses to make it: {error}") from error


def _ends(admin: KafkaAdminClient, topics: Sequence[str]) -> dict[TopicPartition, int]:
    described = admin.describe_topics(list(topics)) if topics else []
    specs = {
        TopicPartition(topic["name"], partition["partition_index"]): OffsetSpec.LATEST
        for topic in described
        for partition in topic["partitions"]
    }
    if not specs:
        return {}
    return {partition: found.offset for partition, found in admin.list_partition_offsets(specs).items()}


class KafkaSubscription:
    """One member of a group. A partition's offset is committed up to the first delivery that is not acknowledged."""

    def __init__(self, common: Mapping[str, Any], topics: Sequence[str], group: str, member: str) -> None:
        self._consumer = KafkaConsumer(
            *topics,
            **{**common, "client_id": member},
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=30_000,
            reconnect_backoff_max_ms=1000,
        )
        self._open: dict[TopicPartition, dict[int, bool]] = {}
        """The offsets of each partition, in order: offset -> whether it is acknowledged."""

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        with _unavailable():
            batches = self._consumer.poll(timeout_ms=int(timeout * 1000), max_records=limit)
        self._forget_revoked()
        deliveries = []
        for partition, records in batches.items():
            unacknowledged = self._open.setdefault(partition, {})
            for record in records:
                unacknowledged[record.offset] = False
                key = record.key.decode("utf-8", "replace") if record.key else ""
                position = f"{partition.partition}:{record.offset}"
                deliveries.append(Delivery(record.topic, key, record.value or b"", position))
        return deliveries

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        touched = set()
        for delivery in deliveries:
            number, _, offset = delivery.position.partition(":")
            partition = TopicPartition(delivery.topic, int(number))
            open_ = self._open.get(partition)
            if open_ is not None and int(offset) in open_:
                open_[int(offset)] = True
                touched.add(partition)
        self._commit({partition: next_ for partition in touched if (next_ := self._advance(partition)) is not None})

    def close(self) -> None:
        with _unavailable():
            self._consumer.close(autocommit=False, timeout_ms=5_000)

    def _advance(self, partition: TopicPartition) -> int | None:
        """Drops the acknowledged offsets at the front; returns the offset to commit, if it has moved."""
        open_ = self._open[partition]
        next_ = None
        for offset in list(open_):
            if not open_[offset]:
                break
            del open_[offset]
            next_ = offset + 1
        return next_

    def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not offsets:
            return
        wanted = {partition: OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
        with _unavailable():
            try:
                self._consumer.commit(wanted)
            except (CommitFailedError, IllegalStateError):
                self._open.clear()  # the group was rebalanced: another member gets them again, and changes nothing

    def _forget_revoked(self) -> None:
        assigned = self._consumer.assignment()
        for partition in [partition for partition in self._open if partition not in assigned]:
            del self._open[partition]


@contextmanager
def _using(link: Link[Client], patience: float) -> Iterator[Client]:
    """Lend the client for a `with` block; where its brokers turn out to be gone, report the loss to the link."""
    client = link.get(patience)
    with _unavailable():
        try:
            yield client
        except _GONE:
            link.report_loss(client)
            raise


_REFUSALS = (
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnsupportedForMessageFormatError,
)
"""Errors about a message: it would be refused again. Those about rights and settings pass once an operator mends
them."""


def is_away(error: Exception) -> bool:
    """Whether the same may succeed later: Kafka is away or busy, rather than that it refuses a message."""
    return not isinstance(error, _REFUSALS)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        if not is_away(error):
            raise
        raise Unavailable(f"Kafka does not answer: {type(error).__name__}") from error


def _left(until: float) -> float:
    return max(0.01, until - time.monotonic())


def _offset_of(committed: Any) -> int:
    return max(0, committed.offset) if committed is not None else 0
