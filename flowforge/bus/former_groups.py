"""Start positions of consumer groups of Kafka that take over from those of another installation (contract.md, section
3.1).

A group of ours that has read nothing of a topic begins where the furthest of the former groups stood, partition by
partition: what they have read is not read again. Where none of them has read, it begins at the first message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import GroupAuthorizationFailedError
from kafka.structs import OffsetAndMetadata

from flowforge.errors import Unavailable


class OthersAtWork(Unavailable):
    """Another installation does what ours is to do: both would run everything."""

    def __init__(self, group: str, others: Sequence[str]) -> None:
        super().__init__(
            f"Kafka's consumer group {', '.join(others)} of another installation is at work, and {group} does not begin"
            " beside it: everything would run twice. Stop what belongs to it; after a crash Kafka takes a minute to"
            " notice. An executor that is to go on is what EXECUTOR=foreign is for."
        )


Former = Mapping[tuple[str, str], Sequence[str]]
"""The groups that read a topic before, by topic and group of ours."""


@dataclass(frozen=True, slots=True)
class PartitionStart:
    """Offsets in one partition: its first message and its end, and where a group of ours and the former ones stand."""

    partition: TopicPartition
    first: int
    end: int
    ours: int | None
    theirs: int | None

    @property
    def begin(self) -> int:
        """Position at which ours begins to read."""
        known = self.ours if self.ours is not None else self.theirs
        return max(self.first, known if known is not None else self.first)

    @property
    def read_again(self) -> int:
        """Number of messages that ours will read that a former group has read."""
        return max(0, min(self.theirs or 0, self.end) - self.begin)

    @property
    def unread(self) -> int:
        return max(0, self.end - self.begin)


@dataclass(frozen=True, slots=True)
class GroupStart:
    """Start position of a group in a topic."""

    topic: str
    group: str
    partitions: tuple[PartitionStart, ...]

    @property
    def has_begun(self) -> bool:
        return any(one.ours is not None for one in self.partitions)

    @property
    def follows_others(self) -> bool:
        return any(one.theirs is not None for one in self.partitions)

    @property
    def read_again(self) -> int:
        return sum(one.read_again for one in self.partitions)

    @property
    def unread(self) -> int:
        return sum(one.unread for one in self.partitions)


def group_start(admin: KafkaAdminClient, topic: str, group: str, former: Sequence[str]) -> GroupStart:
    """Asks the brokers; the topic has to exist."""
    ours = _read_committed(admin, group)
    theirs = [_read_committed(admin, name) for name in former]
    described = admin.describe_topics([topic])[0]["partitions"]
    partitions = [TopicPartition(topic, one["partition_index"]) for one in described]
    firsts = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return GroupStart(
        topic,
        group,
        tuple(
            PartitionStart(
                partition,
                firsts[partition].offset,
                ends[partition].offset,
                ours.get(partition),
                max((group[partition] for group in theirs if partition in group), default=None),
            )
            for partition in partitions
        ),
    )


def begin_where_they_stood(admin: KafkaAdminClient, topic: str, group: str, former: Sequence[str]) -> None:
    """Moves a group that has read nothing of the topic to where the former ones stood. Raises Unavailable."""
    if not former or any(partition.topic == topic for partition in _read_committed(admin, group)):
        return
    start = group_start(admin, topic, group, former)
    wanted = {
        one.partition: OffsetAndMetadata(one.theirs, "", -1) for one in start.partitions if one.theirs is not None
    }
    refused = {error for error in (admin.alter_group_offsets(group, wanted) if wanted else {}).values() if error.errno}
    if refused:  # such as: a member has joined meanwhile
        names = ", ".join(sorted(error.__name__ for error in refused))
        raise Unavailable(f"Kafka does not let group {group} begin where others stood in {topic}: {names}")


def refuse_beside(admin: KafkaAdminClient, group: str, others: Sequence[str]) -> None:
    """Raises OthersAtWork while one of the other groups has members."""
    at_work = [name for name in others if _has_members(admin, name)]
    if at_work:
        raise OthersAtWork(group, at_work)


def _has_members(admin: KafkaAdminClient, group: str) -> bool:
    try:
        return bool(admin.describe_groups([group])[group]["members"])
    except GroupAuthorizationFailedError:  # somebody else's: not one that we could take over from
        return False


def _read_committed(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    try:
        found = admin.list_group_offsets({group: None}).get(group, {})
    except GroupAuthorizationFailedError:
        return {}
    return {partition: committed.offset for partition, committed in found.items() if committed.offset >= 0}
