"""The interface of the library that carries messages to and from Kafka for `flowforge.bus.kafka`.

Two files implement it, `kafka_python` and `confluent`; topics, groups and offsets are administered with kafka-python in
either case. Both partition keys by murmur2, as Java's client does it, so that mixed producers keep an execution's
messages together (contract.md, section 3.1). No headers are sent and none are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from flowforge.bus.port import Message, Subscription
from flowforge.errors import Unavailable

DELIVERY_SECONDS = 10.0
"""Seconds after which a producer gives a message up."""
CONNECT_SECONDS = 5.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
METADATA_AGE_SECONDS = 30
"""Seconds after which a consumer notices topics that were made again."""
SESSION_SECONDS = 10
"""Seconds of silence after which the brokers give a dead member's partitions to others."""
HEARTBEAT_SECONDS = 2
LONGEST_HANDLING_SECONDS = 300
"""Seconds that a member may take from one poll to the next."""


class BrokersGone(Unavailable):
    """No broker answers: the client at hand is of no more use."""


class Fenced(Exception):
    """Another member of the group has taken this one's name: it gets no more messages, and what it still acknowledges
    counts for nothing."""


class NotAcknowledged(Unavailable):
    """The brokers have not acknowledged a message in the time given."""


class Producer(Protocol):
    """Safe to share between threads."""

    def send(self, messages: Sequence[Message], patience: float) -> None:
        """Returns when all in-sync replicas have all messages.

        Raises NotAcknowledged after `patience` seconds, BrokersGone, Unavailable, and the library's own error where a
        message is refused.
        """

    def close(self) -> None: ...


class KafkaClient(Protocol):
    """Carries messages; connects to nothing before it is asked to."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors by which `connect` fails."""

    def connect(self, patience: float) -> Producer:
        """Returns a producer of which no caller waits longer than `patience` seconds for the brokers. Raises one of
        `failures` where no broker answers."""

    def join(self, topics: Sequence[str], group: str, member: str, instance_id: str | None) -> Subscription:
        """Joins a group, under a name that lasts where there is one (flowforge.bus.instance_ids). Raises Unavailable.

        The subscription raises Fenced where another member has taken that name; its `close` leaves the group only where
        there is none.
        """


KafkaLibrary: TypeAlias = Callable[[Sequence[str], str], KafkaClient]
"""Makes a client from the addresses of brokers and a client id."""
