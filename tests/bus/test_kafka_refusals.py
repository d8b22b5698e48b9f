"""Kafka is away, or refuses a message: decided by the class of its error."""

from __future__ import annotations

import pytest
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from flowforge.bus.kafka import is_away


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
