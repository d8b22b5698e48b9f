"""Messages to and from Kafka by confluent-kafka, around the C library librdkafka: a fifth of the CPU of kafka-python.

Its queues are in the C library: a consumer's is bounded, so that the memory of a process stays what it is behind a
backlog.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Record
from confluent_kafka import Producer as LibraryProducer

from flowforge.bus.kafka_client import (
    CONNECT_SECONDS,
    DELIVERY_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_HANDLING_SECONDS,
    MAX_MESSAGE_BYTES,
    METADATA_AGE_SECONDS,
    SESSION_SECONDS,
    BrokersGone,
    Fenced,
    NotAcknowledged,
    Producer,
)
from flowforge.bus.kafka_lines import thin_out_lines
from flowforge.bus.open_offsets import OpenOffsets
from flowforge.bus.port import Delivery, Message
from flowforge.errors import Unavailable

_GONE = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._FATAL,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
_REFUSALS = frozenset(
    {
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.POLICY_VIOLATION,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    }
)
"""Errors about a message: it would be refused again."""
_REBALANCED = frozenset(
    {
        KafkaError._NO_OFFSET,
        KafkaError._STATE,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
_QUEUE_KILOBYTES = 16 * 1024


class Confluent:
    """A flowforge.bus.kafka_client.KafkaClient."""

    failures: tuple[type[Exception], ...] = (KafkaException, OSError)

    def __init__(self, brokers: Sequence[str], client_id: str) -> None:
        thin_out_lines()
        self._common: Mapping[str, Any] = {
            "bootstrap.servers": ",".join(brokers),
            "client.id": client_id,
            "topic.metadata.refresh.interval.ms": METADATA_AGE_SECONDS * 1000,
            "reconnect.backoff.max.ms": 1000,
            "logger": logging.getLogger("kafka.librdkafka"),
        }

    def connect(self, patience: float) -> Producer:
        producer = LibraryProducer(
            {
                **self._common,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "partitioner": "murmur2_random",
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
            }
        )
        producer.list_topics(timeout=CONNECT_SECONDS)
        return ConfluentProducer(producer)

    def join(
        self, topics: Sequence[str], group: str, member: str, instance_id: str | None = None
    ) -> ConfluentSubscription:
        settings = {
            **self._common,
            "client.id": member,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "max.partition.fetch.bytes": MAX_MESSAGE_BYTES,
            "queued.max.messages.kbytes": _QUEUE_KILOBYTES,
            "fetch.queue.backoff.ms": 10,
            "session.timeout.ms": SESSION_SECONDS * 1000,
            "heartbeat.interval.ms": HEARTBEAT_SECONDS * 1000,
            "max.poll.interval.ms": LONGEST_HANDLING_SECONDS * 1000,
        }
        if instance_id is not None:
            settings["group.instance.id"] = instance_id
        return ConfluentSubscription(settings, topics)


class ConfluentProducer:
    """A thread of its own hears from the brokers, for all who send."""

    def __init__(self, producer: LibraryProducer) -> None:
        self._producer = producer
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="Kafka, acknowledgements", daemon=True)
        self._listener.start()

    def send(self, messages: Sequence[Message], patience: float) -> None:
        batch = _Batch(len(messages))
        try:
            for message in messages:
                key = message.key.encode() or None
                self._producer.produce(message.topic, message.value, key, on_delivery=batch.note)
        except BufferError as error:
            raise Unavailable("Kafka is behind: no more messages can wait for it") from error
        except KafkaException as error:
            raise meaning(error) from error
        try:
            batch.acknowledged.result(patience)
        except TimeoutError as error:
            raise NotAcknowledged("Kafka has not acknowledged a message yet") from error
        except KafkaException as error:
            raise meaning(error) from error

    def close(self) -> None:
        """What dead brokers never took is thrown away: nobody waits for it any more."""
        self._producer.purge()
        self._closing.set()
        self._listener.join(CONNECT_SECONDS)

    def _listen(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.5)


class _Batch:
    """Messages that are sent together: `acknowledged` when all are, or fails as the first that is not."""

    def __init__(self, size: int) -> None:
        self.acknowledged: Future[None] = Future()
        self._open = size

    def note(self, error: KafkaError | None, _record: Record) -> None:
        """Called by the thread that hears from the brokers, alone."""
        self._open -= 1
        if self.acknowledged.done():
            return
        if error is not None:
            self.acknowledged.set_exception(KafkaException(error))
        elif self._open == 0:
            self.acknowledged.set_result(None)


class ConfluentSubscription:
    """A flowforge.bus.Subscription."""

    def __init__(self, settings: Mapping[str, Any], topics: Sequence[str]) -> None:
        self._open = OpenOffsets()
        self._failure: KafkaError | None = None
        self._is_fenced = False
        self._consumer = Consumer({**settings, "error_cb": self._note_failure})
        self._consumer.subscribe(list(topics), on_revoke=self._forget, on_lost=self._forget)

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        """The library would wait until it has `limit` messages: so it waits for one, and the others are taken that are
        there."""
        try:
            records = self._consumer.consume(1, timeout)
            if records and limit > 1:
                records += self._consumer.consume(limit - 1, 0)
        except KafkaException as error:
            self._raise_if_fenced(error)
            raise meaning(error) from error
        self._raise_if_fenced()
        deliveries = [self._deliver(record) for record in records if record.error() is None]
        if not deliveries:
            self._raise_failure(record.error() for record in records)
        return deliveries

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        offsets = self._open.acknowledge(deliveries)
        if not offsets:
            return
        wanted = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        try:
            for partition in self._consumer.commit(offsets=wanted, asynchronous=False):
                if partition.error is not None:
                    raise KafkaException(partition.error)
        except KafkaException as error:
            self._raise_if_fenced(error)
            if _code(error) not in _REBALANCED:
                raise meaning(error) from error
            self._open.clear()  # another member gets them again, and changes nothing

    def close(self) -> None:
        try:
            self._consumer.close()
        except KafkaException as error:
            raise meaning(error) from error

    def _deliver(self, record: Record) -> Delivery:
        return self._open.deliver(record.topic(), record.partition(), record.offset(), record.key(), record.value())

    def _forget(self, _consumer: Consumer, revoked: Sequence[TopicPartition]) -> None:
        self._open.forget({(partition.topic, partition.partition) for partition in revoked})

    def _note_failure(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._failure = error
        if error.code() == KafkaError.FENCED_INSTANCE_ID:
            self._is_fenced = True

    def _raise_if_fenced(self, error: KafkaException | None = None) -> None:
        if self._is_fenced or (error is not None and _code(error) == KafkaError.FENCED_INSTANCE_ID):
            raise Fenced from error

    def _raise_failure(self, errors: Iterable[KafkaError]) -> None:
        """A topic that was deleted is no failure: it is made again."""
        failure, self._failure = self._failure, None
        serious = [error for error in errors if error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART]
        worst = failure or next(iter(serious), None)
        if worst is not None:
            raise meaning(KafkaException(worst))


def _code(error: KafkaException) -> int:
    return int(error.args[0].code())


def meaning(error: KafkaException) -> KafkaException | Unavailable:
    """Returns BrokersGone or Unavailable; the error itself where Kafka refuses a message."""
    code = _code(error)
    if code in _REFUSALS:
        return error
    kind = BrokersGone if code in _GONE else Unavailable
    return kind(f"Kafka does not answer: {error.args[0].name()}")
