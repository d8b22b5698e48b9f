"""Kafka is away, or refuses a message: decided by the class of its error, or its code."""

from __future__ import annotations

from contextlib import closing
from uuid import uuid4

import pytest
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from flowforge.bus import Message
from flowforge.bus.kafka import KafkaBus
from flowforge.bus.kafka_client import BrokersGone, KafkaLibrary
from flowforge.bus.kafka_errors import is_away
from flowforge.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (KafkaConnectionError(), True),
        (KafkaTimeoutError(), True),
        (NotLeaderForPartitionError(), True),
        (TopicAuthorizationFailedError(), True),  # until somebody grants the right
        (OSError(), True),
        (MessageSizeTooLargeError(), False),
        (RecordListTooLargeError(), False),
    ],
)
def test_only_a_refusal_of_a_message_is_final(error: Exception, away: bool) -> None:
    assert is_away(error) is away


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_TRANSPORT", BrokersGone),
        ("_MSG_TIMED_OUT", BrokersGone),
        ("NOT_LEADER_FOR_PARTITION", Unavailable),
        ("TOPIC_AUTHORIZATION_FAILED", Unavailable),
        ("MSG_SIZE_TOO_LARGE", None),
        ("RECORD_LIST_TOO_LARGE", None),
    ],
)
def test_librdkafka_tells_the_same_by_codes(name: str, kind: type[Exception] | None) -> None:
    confluent_kafka = pytest.importorskip("confluent_kafka")
    from flowforge.bus.confluent import meaning

    error = confluent_kafka.KafkaException(confluent_kafka.KafkaError(getattr(confluent_kafka.KafkaError, name)))
    assert type(meaning(error)) is (kind or confluent_kafka.KafkaException)


@pytest.mark.kafka
def test_a_message_that_the_broker_refuses_leaves_the_way_open_to_others(
    kafka_brokers: str, library: KafkaLibrary
) -> None:
    """Brokers take a megabyte where nobody has said otherwise."""
    topic = f"topic-{uuid4().hex[:8]}"
    with closing(KafkaBus([kafka_brokers], "test", library=library)) as bus:
        bus.publish([Message(topic, "k", b"small")])
        with pytest.raises(Exception) as refused:  # noqa: PT011  (each library has its own)
            bus.publish([Message(topic, "k", b"x" * 2_000_000)])
        assert not isinstance(refused.value, Unavailable)
        bus.publish([Message(topic, "k", b"small")])
