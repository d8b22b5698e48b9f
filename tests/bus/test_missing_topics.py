"""Kafka's topics are made again where somebody deleted them, on a broker that makes none by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.admin._acls import ACLResourcePatternType

from flowforge import events
from flowforge.bus import Message
from flowforge.bus.kafka import KafkaBus
from flowforge.bus.kafka_client import KafkaLibrary
from flowforge.errors import Unavailable
from tests.services.kafka_broker import NoBroker, running_kafka
from tests.waiting import eventually

pytestmark = pytest.mark.kafka
GROUP = "readers"
TOPICS = [events.TRIGGER_EVENTS, events.EXECUTION_START]
ANYBODY = "User:ANONYMOUS"


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that makes no topics by itself, and knows rights."""
    rights = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    properties = {
        "auto_create_topics_enable": "false",
        "authorizer_class_name": rights,
        "allow_everyone_if_no_acl_found": "true",
    }
    try:
        with running_kafka(tmp_path_factory.mktemp("strict-kafka"), **properties) as brokers:
            yield brokers
    except NoBroker as reason:
        pytest.skip(f"Apache Kafka could not be had: {reason}")


@pytest.fixture
def admin(strict_broker: str) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=strict_broker)) as admin:
        yield admin


@pytest.fixture
def bus(strict_broker: str, library: KafkaLibrary) -> Iterator[KafkaBus]:
    readers = {topic: frozenset({GROUP}) for topic in TOPICS}
    bus = KafkaBus([strict_broker], "test", readers, library=library, patience=5)
    yield bus
    bus.close()


@pytest.fixture
def nobody_may_make_topics(admin: KafkaAdminClient) -> Iterator[None]:
    resources = [ResourcePattern(ResourceType.TOPIC, "*"), ResourcePattern(ResourceType.CLUSTER, "kafka-cluster")]
    may = [ACL(ANYBODY, "*", ACLOperation.ALL, ACLPermissionType.ALLOW, resource) for resource in resources]
    may_not = [ACL(ANYBODY, "*", ACLOperation.CREATE, ACLPermissionType.DENY, resource) for resource in resources]
    admin.create_acls([*may, *may_not])
    yield
    allow(admin)


def is_well(bus: KafkaBus) -> bool:
    try:
        bus.ping()
    except Unavailable:
        return False
    return True


def allow(admin: KafkaAdminClient) -> None:
    for kind in (ResourceType.TOPIC, ResourceType.CLUSTER):
        anywhere = ResourcePatternFilter(kind, None, ACLResourcePatternType.ANY)
        admin.delete_acls([ACLFilter(None, None, ACLOperation.CREATE, ACLPermissionType.DENY, anywhere)])


def delete_topics(admin: KafkaAdminClient) -> None:
    there = [topic for topic in admin.list_topics() if not topic.startswith("__")]
    if there:
        admin.delete_topics(there)
        eventually(lambda: not set(there) & set(admin.list_topics()))


def received(bus: KafkaBus, value: bytes) -> bool:
    bus.publish([Message(TOPICS[0], "k", value)])
    subscription = bus.subscribe(TOPICS, GROUP, "one")
    try:
        return eventually(lambda: value in [delivery.value for delivery in subscription.poll(100, 0.5)])
    finally:
        subscription.close()


def test_topics_that_were_deleted_are_made_again(bus: KafkaBus, admin: KafkaAdminClient) -> None:
    bus.make_missing_topics()
    assert received(bus, b"before")
    delete_topics(admin)
    bus.make_missing_topics()
    assert set(admin.list_topics()) >= {*TOPICS, events.DEAD_LETTERS}
    assert received(bus, b"afterwards")


def test_a_member_that_stayed_goes_on_with_the_new_topics(bus: KafkaBus, admin: KafkaAdminClient) -> None:
    bus.make_missing_topics()
    subscription = bus.subscribe(TOPICS, GROUP, "one")
    found: list[bytes] = []

    def gets(value: bytes) -> bool:
        found.extend(delivery.value for delivery in subscription.poll(100, 0.5))
        return value in found

    bus.publish([Message(TOPICS[0], "k", b"before")])
    eventually(lambda: gets(b"before"))
    delete_topics(admin)
    bus.make_missing_topics()
    bus.publish([Message(TOPICS[0], "k", b"afterwards")])
    eventually(lambda: gets(b"afterwards"))
    subscription.close()


@pytest.mark.usefixtures("nobody_may_make_topics")
def test_a_right_that_is_missing_is_named_and_all_goes_on_when_it_is_given(
    bus: KafkaBus, admin: KafkaAdminClient
) -> None:
    delete_topics(admin)
    for ask in (bus.make_missing_topics, bus.ping):
        with pytest.raises(Unavailable, match=r"no topics .*trigger\.events.* right CREATE"):
            ask()
    allow(admin)
    eventually(lambda: is_well(bus))  # the broker acts on new rights a moment after it has confirmed them
    assert received(bus, b"at last")


def test_groups_of_others_that_may_not_be_seen_are_left_out(strict_broker: str, admin: KafkaAdminClient) -> None:
    theirs = ResourcePattern(ResourceType.GROUP, "theirs")
    admin.create_acls([ACL(ANYBODY, "*", ACLOperation.ALL, ACLPermissionType.DENY, theirs)])
    former = {(TOPICS[0], GROUP): ["theirs"]}
    readers = {TOPICS[0]: frozenset({GROUP})}
    with closing(KafkaBus([strict_broker], "test", readers, former=former, rivals={GROUP: ["theirs"]})) as bus:
        bus.subscribe([TOPICS[0]], GROUP, "one").close()
        bus.ping()
