"""What every event bus promises (flowforge/bus/port.py), on each implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import pytest
from redis import Redis

from flowforge.bus import Delivery, EventBus, Message, Subscription
from flowforge.bus.kafka import KafkaBus
from flowforge.bus.kafka_client import KafkaLibrary
from flowforge.bus.streams import StreamsBus
from flowforge.errors import Unavailable
from flowforge.wiring import connect_redis
from tests.bus.conftest import kafka_library
from tests.waiting import eventually

GROUP = "readers"


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid4().hex[:8]}"


@pytest.fixture(
    params=["streams", *(pytest.param(name, marks=pytest.mark.kafka) for name in ("kafka-python", "confluent"))]
)
def bus(request: pytest.FixtureRequest, topic: str) -> Iterator[EventBus]:
    readers = {topic: frozenset({GROUP})}
    redis: Redis | None = None
    made: EventBus
    if request.param == "streams":
        redis = connect_redis(request.getfixturevalue("redis_url"))
        made = StreamsBus(redis, claim_after_seconds=0.2, readers=readers)
    else:
        made = KafkaBus(
            [request.getfixturevalue("kafka_brokers")], "test", readers, library=kafka_library(request.param)
        )
    yield made
    made.close()
    if redis is not None:
        redis.close()


def collect(subscription: Subscription, count: int) -> list[Delivery]:
    found: list[Delivery] = []

    def enough() -> bool:
        found.extend(subscription.poll(100, 0.5))
        return len(found) >= count

    eventually(enough)
    return found


def values(deliveries: Sequence[Delivery]) -> list[bytes]:
    return sorted(delivery.value for delivery in deliveries)


def messages(topic: str, *texts: str, key: str = "k") -> list[Message]:
    return [Message(topic, key, text.encode()) for text in texts]


def test_what_is_published_is_delivered(bus: EventBus, topic: str) -> None:
    subscription = bus.subscribe([topic], GROUP, "one")
    bus.publish(messages(topic, "a", "b"))
    deliveries = collect(subscription, 2)
    assert values(deliveries) == [b"a", b"b"]
    assert {(delivery.topic, delivery.key) for delivery in deliveries} == {(topic, "k")}
    subscription.close()


def test_a_new_group_starts_at_the_earliest_message(bus: EventBus, topic: str) -> None:
    bus.publish(messages(topic, "before"))
    subscription = bus.subscribe([topic], GROUP, "one")
    assert values(collect(subscription, 1)) == [b"before"]
    subscription.close()


def test_every_group_gets_every_message(bus: EventBus, topic: str) -> None:
    subscriptions = [bus.subscribe([topic], group, "one") for group in (GROUP, "others")]
    bus.publish(messages(topic, "a"))
    for subscription in subscriptions:
        assert values(collect(subscription, 1)) == [b"a"]
        subscription.close()


def test_what_was_not_acknowledged_goes_to_another_member(bus: EventBus, topic: str) -> None:
    first = bus.subscribe([topic], GROUP, "first")
    bus.publish(messages(topic, "done", "open"))
    deliveries = sorted(collect(first, 2), key=lambda delivery: delivery.value)
    first.ack(deliveries[:1])
    first.close()
    second = bus.subscribe([topic], GROUP, "second")
    assert values(collect(second, 1)) == [b"open"]
    second.close()


def test_acknowledgements_may_come_out_of_order(bus: EventBus, topic: str) -> None:
    subscription = bus.subscribe([topic], GROUP, "one")
    bus.publish(messages(topic, "a", "b", "c"))
    deliveries = collect(subscription, 3)
    subscription.ack(deliveries[2:])
    subscription.ack(deliveries[:2])
    eventually(lambda: bus.lag()[topic, GROUP] == 0)
    subscription.close()


def test_lag_counts_what_is_not_acknowledged(bus: EventBus, topic: str) -> None:
    subscription = bus.subscribe([topic], GROUP, "one")
    bus.publish(messages(topic, "a", "b"))
    deliveries = collect(subscription, 2)
    assert bus.lag()[topic, GROUP] == 2
    subscription.ack(deliveries)
    assert bus.lag()[topic, GROUP] == 0
    subscription.close()


def test_messages_of_one_key_keep_their_order(bus: EventBus, topic: str) -> None:
    subscription = bus.subscribe([topic], GROUP, "one")
    sent = [f"{number:03d}" for number in range(100)]
    bus.publish(messages(topic, *sent))
    assert [delivery.value.decode() for delivery in collect(subscription, 100)] == sent
    subscription.close()


def test_threads_may_publish_at_the_same_time(bus: EventBus, topic: str) -> None:
    sent = [f"{number:03d}" for number in range(64)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: bus.publish(messages(topic, text, key=text)), sent))
    subscription = bus.subscribe([topic], GROUP, "one")
    assert values(collect(subscription, 64)) == [text.encode() for text in sent]
    subscription.close()


def test_a_member_that_joins_takes_over_a_part(bus: EventBus, topic: str) -> None:
    first = bus.subscribe([topic], GROUP, "first")
    second = bus.subscribe([topic], GROUP, "second")
    found: dict[str, list[Delivery]] = {"first": [], "second": []}

    def both_have_some() -> bool:
        bus.publish([Message(topic, uuid4().hex, b"x") for _ in range(20)])
        for name, subscription in (("first", first), ("second", second)):
            deliveries = subscription.poll(10, 0.5)
            found[name] += deliveries
            subscription.ack(deliveries)
        return all(found.values())

    eventually(both_have_some)
    first.close()
    second.close()


def test_bytes_that_are_no_json_are_delivered_as_they_are(bus: EventBus, topic: str) -> None:
    subscription = bus.subscribe([topic], GROUP, "one")
    bus.publish([Message(topic, "k", b"\xff\x00not json")])
    assert values(collect(subscription, 1)) == [b"\xff\x00not json"]
    subscription.close()


def test_an_answering_bus_answers_a_ping(bus: EventBus) -> None:
    bus.ping()


@pytest.mark.parametrize("ask", [lambda bus: bus.ping(), lambda bus: bus.publish(messages("t", "a"))])
def test_a_dead_kafka_is_unavailable(library: KafkaLibrary, ask: Callable[[EventBus], None]) -> None:
    with closing(KafkaBus(["127.0.0.1:1"], "test", library=library)) as bus, pytest.raises(Unavailable):
        ask(bus)


def test_a_dead_valkey_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        StreamsBus(connect_redis("redis://127.0.0.1:1")).publish(messages("t", "a"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_are_hashed_as_java_does_it(key: bytes, expected: int) -> None:
    from kafka.partitioner.default import murmur2

    assert (murmur2(key) & 0xFFFFFFFF) == (expected & 0xFFFFFFFF)
