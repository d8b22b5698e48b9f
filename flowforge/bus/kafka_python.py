"""Messages to and from Kafka by kafka-python, which is written in Python."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CommitFailedError, FencedInstanceIdError, IllegalStateError, KafkaTimeoutError
from kafka.structs import OffsetAndMetadata

from flowforge.bus.kafka_client import (
    CONNECT_SECONDS,
    DELIVERY_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_HANDLING_SECONDS,
    MAX_MESSAGE_BYTES,
    METADATA_AGE_SECONDS,
    SESSION_SECONDS,
    Fenced,
    NotAcknowledged,
    Producer,
)
from flowforge.bus.kafka_errors import FAILURES, unavailable
from flowforge.bus.kafka_lines import thin_out_lines
from flowforge.bus.open_offsets import OpenOffsets
from flowforge.bus.port import Delivery, Message

_FETCH_WAIT_MS = 100
"""The broker answers a fetch at once where it has a message. This is how long it waits otherwise, and how long the
partitions that another fetch left out have to wait for the next one."""


class KafkaPython:
    """A flowforge.bus.kafka_client.KafkaClient."""

    failures = FAILURES

    def __init__(self, brokers: Sequence[str], client_id: str) -> None:
        thin_out_lines()
        self._common: Mapping[str, Any] = {
            "bootstrap_servers": list(brokers),
            "client_id": client_id,
            "bootstrap_timeout_ms": int(CONNECT_SECONDS * 1000),
        }
        """What all clients of the library are made with."""

    def connect_admin(self) -> KafkaAdminClient:
        """Raises one of `failures`."""
        return KafkaAdminClient(**self._common, request_timeout_ms=5_000)

    def connect(self, patience: float) -> Producer:
        return KafkaPythonProducer(
            KafkaProducer(
                **self._common,
                acks="all",
                # An idempotent producer of this library takes no more messages after one that the broker refuses. Those
                # who read do without: they apply once what comes twice. Only what is sent again may come late.
                enable_idempotence=False,
                linger_ms=0,
                max_request_size=MAX_MESSAGE_BYTES,
                max_block_ms=int(patience * 1000),
                request_timeout_ms=int(DELIVERY_SECONDS * 500),
                delivery_timeout_ms=int(DELIVERY_SECONDS * 1000),
                reconnect_backoff_max_ms=1000,
                metrics_enabled=False,
            )
        )

    def join(
        self, topics: Sequence[str], group: str, member: str, instance_id: str | None = None
    ) -> KafkaPythonSubscription:
        with unavailable():
            return KafkaPythonSubscription(
                KafkaConsumer(
                    *topics,
                    **{**self._common, "client_id": member},
                    group_id=group,
                    group_instance_id=instance_id,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    fetch_max_wait_ms=_FETCH_WAIT_MS,
                    max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
                    session_timeout_ms=SESSION_SECONDS * 1000,
                    heartbeat_interval_ms=HEARTBEAT_SECONDS * 1000,
                    max_poll_interval_ms=LONGEST_HANDLING_SECONDS * 1000,
                    metadata_max_age_ms=METADATA_AGE_SECONDS * 1000,
                    reconnect_backoff_max_ms=1000,
                    metrics_enabled=False,
                )
            )


class KafkaPythonProducer:
    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    def send(self, messages: Sequence[Message], patience: float) -> None:
        until = time.monotonic() + patience
        send = self._producer.send
        with unavailable():
            try:
                sent = [send(message.topic, message.value, key=message.key.encode() or None) for message in messages]
                self._producer.flush(timeout=_left(until))
                for future in sent:
                    future.get(timeout=_left(until))
            except KafkaTimeoutError as error:
                raise NotAcknowledged("Kafka has not acknowledged a message yet") from error

    def close(self) -> None:
        """Ends the producer, which it does only when nothing waits to be sent: what dead brokers never took has to
        expire first."""
        self._producer.close(timeout=DELIVERY_SECONDS + 2)


class KafkaPythonSubscription:
    """A flowforge.bus.Subscription."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self._open = OpenOffsets()

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        with unavailable(), _fenced():
            batches = self._consumer.poll(timeout_ms=int(timeout * 1000), max_records=limit)
        self._open.keep_only(self._consumer.assignment())
        return [
            self._open.deliver(record.topic, record.partition, record.offset, record.key, record.value)
            for records in batches.values()
            for record in records
        ]

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        offsets = self._open.acknowledge(deliveries)
        if not offsets:
            return
        wanted = {
            TopicPartition(topic, number): OffsetAndMetadata(offset, "", -1)
            for (topic, number), offset in offsets.items()
        }
        with unavailable(), _fenced():
            try:
                self._consumer.commit(wanted)
            except (CommitFailedError, IllegalStateError):
                self._open.clear()  # the group was rebalanced: another member gets them again, and changes nothing

    def close(self) -> None:
        with unavailable():
            self._consumer.close(autocommit=False, timeout_ms=5_000)


@contextmanager
def _fenced() -> Iterator[None]:
    try:
        yield
    except FencedInstanceIdError as error:
        raise Fenced from error


def _left(until: float) -> float:
    return max(0.01, until - time.monotonic())
