"""Members of Kafka's groups that are known again when their process is started anew (static membership, KIP-345)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient

from flowforge.bus import Delivery, Message, Subscription
from flowforge.bus.instance_ids import take_instance_id
from flowforge.bus.kafka import KafkaBus
from flowforge.bus.kafka_client import Fenced, KafkaLibrary
from tests.bus.conftest import kafka_library
from tests.waiting import eventually

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
READER = """
import sys, time
from pathlib import Path
from flowforge.bus.kafka import KafkaBus
from tests.bus.conftest import kafka_library

brokers, library, topic, group, folder = sys.argv[1:]
bus = KafkaBus([brokers], "reader", library=kafka_library(library), members=Path(folder))
subscription = bus.subscribe([topic], group, "reader")
while not subscription.poll(10, 0.5):
    pass
print("has it", flush=True)
time.sleep(600)
"""
"""A process that receives messages and acknowledges none."""


@pytest.fixture(params=["kafka-python", "confluent"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def group() -> str:
    return f"readers-{uuid4().hex[:8]}"


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid4().hex[:8]}"


@pytest.fixture
def make_bus(kafka_brokers: str, library: str) -> Iterator[Callable[[Path], KafkaBus]]:
    made = []

    def make(folder: Path) -> KafkaBus:
        chosen: KafkaLibrary = kafka_library(library)
        made.append(KafkaBus([kafka_brokers], "test", library=chosen, members=folder))
        return made[-1]

    yield make
    for bus in made:
        bus.close()


def members(kafka_brokers: str, group: str) -> list[Any]:
    with closing(KafkaAdminClient(bootstrap_servers=kafka_brokers)) as admin:
        found: list[Any] = admin.describe_groups([group])[group]["members"]
    return found


def receive(subscription: Subscription) -> list[Delivery]:
    return eventually(lambda: subscription.poll(10, 0.5))


def test_a_killed_member_goes_on_as_itself(
    make_bus: Callable[[Path], KafkaBus], kafka_brokers: str, library: str, topic: str, group: str, tmp_path: Path
) -> None:
    bus = make_bus(tmp_path)
    bus.publish([Message(topic, "k", b"1")])
    command = [sys.executable, "-c", READER, kafka_brokers, library, topic, group, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"has it\n"
    process.kill()
    process.wait()
    process.stdout.close()

    again = bus.subscribe([topic], group, "again")

    assert [delivery.value for delivery in receive(again)] == [b"1"]
    assert len(members(kafka_brokers, group)) == 1  # a new one would stand beside its former self for a session
    again.close()


def test_a_member_that_ends_leaves_its_group(
    make_bus: Callable[[Path], KafkaBus], kafka_brokers: str, topic: str, group: str, tmp_path: Path
) -> None:
    bus = make_bus(tmp_path)
    subscription = bus.subscribe([topic], group, "one")
    eventually(lambda: subscription.poll(1, 0.5) or members(kafka_brokers, group))
    subscription.close()
    assert members(kafka_brokers, group) == []


def test_members_of_one_home_have_a_part_each(
    make_bus: Callable[[Path], KafkaBus], kafka_brokers: str, topic: str, group: str, tmp_path: Path
) -> None:
    bus = make_bus(tmp_path)
    one, other = bus.subscribe([topic], group, "one"), bus.subscribe([topic], group, "other")

    def both_are_there() -> bool:
        one.poll(1, 0.2)
        other.poll(1, 0.2)
        return len(members(kafka_brokers, group)) == 2

    eventually(both_are_there)
    one.close()
    other.close()


def test_of_two_homes_with_one_name_the_older_ends_and_does_no_harm(
    make_bus: Callable[[Path], KafkaBus], kafka_brokers: str, topic: str, group: str, tmp_path: Path
) -> None:
    """As when somebody has copied a home, and runs both on one machine."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    take_instance_id(original, group).release()
    shutil.copytree(original, copy)
    bus = make_bus(original)
    bus.publish([Message(topic, "k", b"1")])
    older = bus.subscribe([topic], group, "older")
    received = receive(older)

    newer = make_bus(copy).subscribe([topic], group, "newer")
    assert [delivery.value for delivery in receive(newer)] == [b"1"]

    with pytest.raises(Fenced):
        older.ack(received)
    older.close()
    assert len(members(kafka_brokers, group)) == 1
    newer.close()


def test_where_no_name_can_be_kept_a_member_joins_without_one(
    make_bus: Callable[[Path], KafkaBus], topic: str, group: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    bus = make_bus(tmp_path / "file" / "folder")
    bus.publish([Message(topic, "k", b"1")])
    subscription = bus.subscribe([topic], group, "one")
    assert [delivery.value for delivery in receive(subscription)] == [b"1"]
    subscription.close()


class TestNames:
    def test_a_slot_keeps_its_name(self, tmp_path: Path) -> None:
        first = take_instance_id(tmp_path, "g")
        first.release()
        again = take_instance_id(tmp_path, "g")
        assert again.name == first.name
        again.release()

    def test_no_two_processes_hold_one(self, tmp_path: Path) -> None:
        held = [take_instance_id(tmp_path, "g") for _ in range(3)]
        assert len({one.name for one in held}) == 3
        for one in held:
            one.release()

    def test_homes_and_groups_have_different_ones(self, tmp_path: Path) -> None:
        held = [take_instance_id(tmp_path / home, group) for home in "ab" for group in ("g", "h/ä")]
        assert len({one.name for one in held}) == 4
        for one in held:
            one.release()

    def test_a_replaced_name_is_not_used_again(self, tmp_path: Path) -> None:
        first = take_instance_id(tmp_path, "g")
        first.replace()
        again = take_instance_id(tmp_path, "g")
        assert again.name != first.name
        again.release()
