"""The interface of the event bus, and its promises. One contract suite (tests/bus) runs against every implementation.

- *At least once.* A delivery that was not acknowledged is delivered again, to this or another member of the group.
- *Durable when published.* `publish` returns after the broker has the messages, or raises `Unavailable`.
- *Keyed.* Where the bus has partitions, messages of one key keep their order. Correctness never depends on it.
- *A new group starts at the earliest message.*
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from flowforge.errors import Unavailable
from flowforge.events import TopicMessage


class CircuitOpen(Unavailable):
    """The broker was not asked: it has just not answered, and the log says so."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish."""

    topic: str
    key: str
    value: bytes

    @classmethod
    def of(cls, topic: str, message: TopicMessage, carried: Mapping[str, object] = MappingProxyType({})) -> Message:
        """`carried`: see TopicMessage.encode."""
        return cls(topic, message.key, message.encode(carried))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A received message. `position` is opaque: the bus that made it knows what to acknowledge by it."""

    topic: str
    key: str
    value: bytes
    position: str


class Subscription(Protocol):
    """One member of a consumer group. Used by one thread."""

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        """Receives up to `limit` deliveries; returns as soon as there is one, or empty after `timeout` seconds.

        Raises Unavailable when the broker does not answer.
        """

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledge messages that are in the database; they are never delivered to this group again. Raises
        Unavailable."""

    def close(self) -> None:
        """Leave the group; what was not acknowledged goes to another member."""


class EventBus(Protocol):
    """Safe to share between threads."""

    def publish(self, messages: Sequence[Message]) -> None:
        """One round trip for the whole batch. Raises Unavailable; then any part of it may have been stored."""

    def subscribe(self, topics: Sequence[str], group: str, member: str) -> Subscription:
        """Join `group`; `member` is unique among the living members."""

    def lag(self) -> dict[tuple[str, str], int]:
        """Count the messages published and not yet acknowledged, for each (topic, group)."""

    def make_missing_topics(self) -> None:
        """Make topics that do not exist (any more). Raises Unavailable, which says what the broker refuses."""

    def refuse_rivals(self) -> None:
        """Raises Unavailable where another installation's consumers do now what ours are to do."""

    def ping(self) -> None:
        """Raises Unavailable, also where there are such rivals, or topics are missing that cannot be made."""

    def close(self) -> None: ...
