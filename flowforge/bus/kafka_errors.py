"""What errors of kafka-python mean: the brokers are away, they are busy, or they refuse a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import (
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
    UnsupportedForMessageFormatError,
)

from flowforge.bus.kafka_client import BrokersGone
from flowforge.errors import Unavailable

FAILURES = (KafkaError, OSError)
_GONE = (
    OSError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NetworkExceptionError,
    NodeNotReadyError,
    RequestTimedOutError,
)
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
def unavailable() -> Iterator[None]:
    """Turns kafka-python's errors into BrokersGone and Unavailable, except for refusals, which stay as they are."""
    try:
        yield
    except FAILURES as error:
        if not is_away(error):
            raise
        kind = BrokersGone if isinstance(error, _GONE) else Unavailable
        raise kind(f"Kafka does not answer: {type(error).__name__}") from error
