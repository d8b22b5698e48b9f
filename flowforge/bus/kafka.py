"""The event bus on Apache Kafka: topics and groups; a library carries the messages (flowforge.bus.kafka_client).

Where Kafka is known to be away, `publish`, `lag` and `ping` say so at once (flowforge.bus.link); so does `publish`
where it has just kept a caller waiting in vain (flowforge.bus.breaker).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import MemberToRemove, OffsetSpec
from kafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from flowforge import events
from flowforge.bus.breaker import Breaker
from flowforge.bus.former_groups import Former, GroupStart, begin_where_they_stood, group_start, refuse_beside
from flowforge.bus.instance_ids import InstanceId, take_instance_id
from flowforge.bus.kafka_client import DELIVERY_SECONDS, BrokersGone, KafkaLibrary, NotAcknowledged, Producer
from flowforge.bus.kafka_errors import FAILURES, unavailable
from flowforge.bus.kafka_python import KafkaPython
from flowforge.bus.lasting_member import LastingMember
from flowforge.bus.link import Client, Link
from flowforge.bus.port import Message, Subscription
from flowforge.errors import Unavailable

logger = logging.getLogger(__name__)


class KafkaBus:
    """`readers` names the topics that there have to be, and the groups that read each. Connects on first use.

    `patience` is how many seconds a caller waits for a connection, before the brokers are known to be away;
    `publish_patience` how many for an acknowledgement, on a connection that there is. `former` names the groups of
    another installation from which groups of ours take over, `rivals` those beside which a group does not begin.
    `library` carries the messages. `members` is the folder by which members are known again after a restart; without
    one, Kafka takes each for a new one.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        client_id: str,
        readers: Mapping[str, frozenset[str]] | None = None,
        *,
        library: KafkaLibrary = KafkaPython,
        patience: float = DELIVERY_SECONDS,
        publish_patience: float | None = None,
        former: Former | None = None,
        rivals: Mapping[str, Sequence[str]] | None = None,
        members: Path | None = None,
    ) -> None:
        self._messages = library(brokers, client_id)
        self._administration = KafkaPython(brokers, client_id)
        self._readers = readers or {}
        self._former = former or {}
        self._rivals = rivals or {}
        self._members = members
        self._patience = patience
        self._publish_patience = patience if publish_patience is None else publish_patience
        self._breaker = Breaker("Kafka", (Unavailable,))
        self._acknowledged_at = time.monotonic()
        """When brokers last acknowledged what was published, or a producer was made."""
        self._producer = Link("Kafka", self._new_producer, lambda producer: producer.close(), self._messages.failures)
        self._admin = Link("Kafka", self._administration.connect_admin, lambda admin: admin.close(), FAILURES)

    def publish(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        with self._breaker.guard(), _using(self._producer, self._patience) as producer:
            try:
                producer.send(messages, self._publish_patience)
            except NotAcknowledged as error:
                if time.monotonic() - self._acknowledged_at < DELIVERY_SECONDS:
                    raise
                raise BrokersGone(str(error)) from error  # by now it has given up what it holds: another one is made
            self._acknowledged_at = time.monotonic()

    def subscribe(self, topics: Sequence[str], group: str, member: str) -> Subscription:
        with _using(self._admin, self._patience) as admin:
            refuse_beside(admin, group, self._rivals.get(group, ()))
            _make_missing(admin, topics)
            for topic in topics:
                begin_where_they_stood(admin, topic, group, self._former.get((topic, group), ()))
        instance_id = self._take_instance_id(group)
        if instance_id is None:
            return self._messages.join(topics, group, member, None)
        return LastingMember(
            instance_id,
            lambda name: self._messages.join(topics, group, member, name),
            lambda name: self._leave(group, name),
        )

    def _take_instance_id(self, group: str) -> InstanceId | None:
        if self._members is None:
            return None
        try:
            return take_instance_id(self._members, group)
        except OSError as error:
            logger.warning("Kafka will take this member of %s for a new one after a restart: %s", group, error)
            return None

    def _leave(self, group: str, instance_id: str) -> None:
        """Takes a member out of its group, so that others have its partitions at once."""
        with _using(self._admin, self._patience) as admin:
            admin.remove_group_members(group, [MemberToRemove(group_instance_id=instance_id)])

    def lag(self) -> dict[tuple[str, str], int]:
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            ends = _ends(admin, [topic for topic in self._readers if topic in existing])
            groups = sorted(set().union(*self._readers.values())) if self._readers else []
            committed = {group: admin.list_group_offsets({group: None}).get(group, {}) for group in groups}
        found: dict[tuple[str, str], int] = {}
        for topic, readers in self._readers.items():
            for group in readers:
                found[topic, group] = sum(
                    end - _offset_of(committed[group].get(partition))
                    for partition, end in ends.items()
                    if partition.topic == topic
                )
        return found

    def group_starts(self) -> list[GroupStart]:
        """Returns where each group begins, in those topics of another installation that exist. Raises Unavailable."""
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            return [
                group_start(admin, topic, group, former)
                for (topic, group), former in sorted(self._former.items())
                if topic in existing
            ]

    def begin_where_they_stood(self) -> None:
        """Moves the groups that have read nothing yet to where the former ones stood, as `subscribe` would. Raises
        Unavailable."""
        with _using(self._admin, self._patience) as admin:
            existing = set(admin.list_topics())
            for (topic, group), former in self._former.items():
                if topic in existing:
                    begin_where_they_stood(admin, topic, group, former)

    def refuse_rivals(self) -> None:
        with _using(self._admin, self._patience) as admin:
            for group, others in self._rivals.items():
                refuse_beside(admin, group, others)

    def make_missing_topics(self) -> None:
        with _using(self._admin, self._patience) as admin:
            _make_missing(admin, [*self._readers, events.DEAD_LETTERS])

    def ping(self) -> None:
        self.make_missing_topics()
        self.refuse_rivals()

    def close(self) -> None:
        """Close at once: `publish` waits for what it sends, so that nothing is left to send."""
        self._producer.close()
        self._admin.close()

    def _new_producer(self) -> Producer:
        self._acknowledged_at = time.monotonic()
        return self._messages.connect(self._publish_patience)


def _make_missing(admin: KafkaAdminClient, topics: Sequence[str]) -> None:
    """Makes topics with the broker's own partition count, as auto-creation would. Raises Unavailable, which names what
    cannot be made and why."""
    missing = sorted(set(topics) - set(admin.list_topics()))
    for topic in missing:
        try:
            admin.create_topics([topic], wait_for_metadata=True)
            logger.warning("Made Kafka's topic %s, which did not exist", topic)
        except TopicAlreadyExistsError:
            continue
        except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
            raise Unavailable(
                f"Kafka has no topics {', '.join(missing)}, and this user may not make them: "
                "it needs the right CREATE on them or on the cluster, or somebody who makes them"
            ) from error
        except BrokerResponseError as error:
            raise Unavailable(f"Kafka has no topic {topic}, and refuses to make it: {error}") from error


def _ends(admin: KafkaAdminClient, topics: Sequence[str]) -> dict[TopicPartition, int]:
    described = admin.describe_topics(list(topics)) if topics else []
    specs = {
        TopicPartition(topic["name"], partition["partition_index"]): OffsetSpec.LATEST
        for topic in described
        for partition in topic["partitions"]
    }
    if not specs:
        return {}
    return {partition: found.offset for partition, found in admin.list_partition_offsets(specs).items()}


@contextmanager
def _using(link: Link[Client], patience: float) -> Iterator[Client]:
    """Lend the client for a `with` block; where its brokers turn out to be gone, report the loss to the link."""
    client = link.get(patience)
    try:
        with unavailable():
            yield client
    except BrokersGone:
        link.report_loss(client)
        raise


def _offset_of(committed: Any) -> int:
    return max(0, committed.offset) if committed is not None else 0
