"""How many requests kafka-python sends to the brokers: a batch costs what a message does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.net.manager import KafkaConnectionManager

from flowforge.bus import Delivery, Message
from flowforge.bus.kafka import KafkaBus
from tests.waiting import eventually

pytestmark = pytest.mark.kafka


@pytest.fixture
def bus(kafka_brokers: str) -> Iterator[KafkaBus]:
    with closing(KafkaBus([kafka_brokers], "test")) as bus:
        yield bus


@pytest.fixture
def topic(kafka_brokers: str) -> str:
    """A topic with three partitions."""
    name = f"topic-{uuid4().hex[:8]}"
    with closing(KafkaAdminClient(bootstrap_servers=kafka_brokers)) as admin:
        admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)], wait_for_metadata=True)
    return name


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The names of the requests that were sent, and how often each was."""
    counted: Counter[str] = Counter()
    send = KafkaConnectionManager.send

    def count(manager: KafkaConnectionManager, request: Any, *args: Any, **options: Any) -> Any:
        counted[type(request).__name__] += 1
        return send(manager, request, *args, **options)

    monkeypatch.setattr(KafkaConnectionManager, "send", count)
    return counted


def test_a_batch_is_acknowledged_by_one_commit(bus: KafkaBus, topic: str, sent: Counter[str]) -> None:
    bus.publish([Message(topic, str(number), b"x") for number in range(100)])
    subscription = bus.subscribe([topic], "readers", "one")
    deliveries: list[Delivery] = []
    eventually(lambda: deliveries.extend(subscription.poll(100, 0.5)) or len(deliveries) == 100)

    assert len({delivery.position.partition(":")[0] for delivery in deliveries}) == 3
    subscription.ack(deliveries)
    assert sent["OffsetCommitRequest"] == 1
    subscription.ack(deliveries)  # again: nothing moves
    assert sent["OffsetCommitRequest"] == 1
    subscription.close()


def test_a_batch_is_published_by_few_requests(bus: KafkaBus, topic: str, sent: Counter[str]) -> None:
    bus.publish([Message(topic, "k", b"x")])  # connects
    sent.clear()
    bus.publish([Message(topic, str(number), b"x") for number in range(300)])
    assert 1 <= sent["ProduceRequest"] <= 30
