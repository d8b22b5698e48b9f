"""What a member of a consumer group has been given and has not acknowledged, by offset.

A group has one committed offset for each partition, so it moves up to the first message that is not acknowledged.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeAlias

from flowforge.bus.port import Delivery

Partition: TypeAlias = tuple[str, int]
"""A topic, and the number of a partition of it."""


class OpenOffsets:
    def __init__(self) -> None:
        self._acknowledged: dict[Partition, dict[int, bool]] = {}
        """The offsets of each partition, in order: whether each is acknowledged."""

    def deliver(self, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> Delivery:
        self._acknowledged.setdefault((topic, partition), {})[offset] = False
        return Delivery(topic, (key or b"").decode("utf-8", "replace"), value or b"", f"{partition}:{offset}")

    def acknowledge(self, deliveries: Iterable[Delivery]) -> dict[Partition, int]:
        """Returns the offsets to commit: those of the partitions whose first open message has changed."""
        touched = set()
        for delivery in deliveries:
            number, _, offset = delivery.position.partition(":")
            partition = (delivery.topic, int(number))
            if int(offset) in self._acknowledged.get(partition, {}):
                self._acknowledged[partition][int(offset)] = True
                touched.add(partition)
        return {partition: next_ for partition in touched if (next_ := self._advance(partition)) is not None}

    def forget(self, revoked: Iterable[Partition]) -> None:
        """Forgets partitions that went to other members, who get their open messages again."""
        for partition in revoked:
            self._acknowledged.pop(partition, None)

    def keep_only(self, assigned: Container[Partition]) -> None:
        """Forgets the partitions that are not among those."""
        self.forget([partition for partition in self._acknowledged if partition not in assigned])

    def clear(self) -> None:
        self._acknowledged.clear()

    def _advance(self, partition: Partition) -> int | None:
        """Drops the acknowledged offsets at the front; returns the one after them, if there are any."""
        offsets = self._acknowledged[partition]
        next_ = None
        for offset in list(offsets):
            if not offsets[offset]:
                break
            del offsets[offset]
            next_ = offset + 1
        return next_
