"""Groups that take over from those of another installation read nothing that these have read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from flowforge import events
from flowforge.__main__ import main
from flowforge.bus.former_groups import OthersAtWork
from flowforge.bus.kafka import KafkaBus
from flowforge.engine import intake, redelivery
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.waiting import eventually

pytestmark = pytest.mark.kafka
TOPICS = (events.TRIGGER_EVENTS, events.EXECUTION_START, events.EXECUTION_RESULT)
"""Those of the originals."""


class Topic:
    """A topic with one partition that another installation has read up to some message."""

    def __init__(self, brokers: str, name: str) -> None:
        self.brokers, self.name = brokers, name
        self.ours, self.theirs = f"ours-{name}", f"theirs-{name}"

    def send(self, *values: bytes) -> None:
        with closing(KafkaProducer(bootstrap_servers=self.brokers)) as producer:
            for value in values:
                producer.send(self.name, value, partition=0)
            producer.flush()

    def read_by_others(self, count: int, group: str = "") -> None:
        at = {TopicPartition(self.name, 0): OffsetAndMetadata(count, "", -1)}
        with closing(KafkaConsumer(bootstrap_servers=self.brokers, group_id=group or self.theirs)) as consumer:
            consumer.assign(list(at))
            consumer.commit(at)

    def read_by_us(self, count: int, *former: str) -> list[bytes]:
        """Reads, acknowledges, and leaves."""
        readers = {self.name: frozenset({self.ours})}
        groups = {(self.name, self.ours): former or (self.theirs,)}
        with closing(KafkaBus([self.brokers], "test", readers, former=groups)) as bus:
            subscription = bus.subscribe([self.name], self.ours, "member")
            found = []

            def enough() -> bool:
                found.extend(subscription.poll(10, 0.5))
                return len(found) >= count

            eventually(enough)
            subscription.ack(found)
            subscription.close()
        return [delivery.value for delivery in found]


@pytest.fixture
def topic(kafka_brokers: str) -> Iterator[Topic]:
    name = f"taken-over-{uuid4().hex[:8]}"
    with closing(KafkaAdminClient(bootstrap_servers=kafka_brokers)) as admin:
        admin.create_topics([name], wait_for_metadata=True)
        yield Topic(kafka_brokers, name)
        admin.delete_topics([name])


def test_a_group_begins_where_another_stood(topic: Topic) -> None:
    topic.send(b"read", b"read", b"unread")
    topic.read_by_others(2)
    assert topic.read_by_us(1) == [b"unread"]


def test_the_furthest_of_several_counts(topic: Topic) -> None:
    topic.send(b"read", b"read", b"unread")
    topic.read_by_others(1)
    topic.read_by_others(2, group="another")
    assert topic.read_by_us(1, topic.theirs, "another") == [b"unread"]


def test_a_group_that_has_read_goes_on_from_where_it_stands(topic: Topic) -> None:
    topic.send(b"one", b"two", b"three")
    assert topic.read_by_us(3, "nobody") == [b"one", b"two", b"three"]
    topic.send(b"four")
    topic.read_by_others(1)
    assert topic.read_by_us(1) == [b"four"]


def test_where_nobody_has_read_it_begins_at_the_first_message(topic: Topic) -> None:
    topic.send(b"first")
    assert topic.read_by_us(1) == [b"first"]


def read_one_of_each(brokers: str, group: str) -> None:
    for name in TOPICS:
        Topic(brokers, name).read_by_others(1, group)


def rows_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "ours-" in line]


class TestCommand:
    """`python -m flowforge take-over`, on the topics of the contract."""

    @pytest.fixture(autouse=True)
    def others(self, kafka_brokers: str, monkeypatch: pytest.MonkeyPatch) -> str:
        mark = uuid4().hex[:8]
        monkeypatch.setenv("KAFKA_BROKERS", kafka_brokers)
        for role in ("ORCHESTRATOR", "EXECUTOR", "LOG_SINK"):
            monkeypatch.setenv(f"GROUP_{role}", f"ours-{role}-{mark}")
            monkeypatch.setenv(f"FORMER_GROUPS_{role}", f"theirs-{mark}")
        for name in (*TOPICS, events.EXECUTION_EVENTS):  # the last one is ours alone: no others have read it
            Topic(kafka_brokers, name).send(b"{}")
        return f"theirs-{mark}"

    def test_it_warns_of_topics_that_nobody_is_known_to_have_read(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["take-over", "--check"]) == 1
        assert "up to" in capsys.readouterr().out

    def test_it_says_where_groups_begin_and_changes_nothing(
        self, kafka_brokers: str, others: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        read_one_of_each(kafka_brokers, others)
        assert [main(["take-over", "--check"]), main(["take-over", "--check"])] == [0, 0]
        rows = rows_of(capsys)
        assert len(rows) == 12
        assert all("where the others stood" in row for row in rows)

    def test_without_check_they_begin_there_at_once(
        self, kafka_brokers: str, others: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        read_one_of_each(kafka_brokers, others)
        assert main(["take-over"]) == 0
        rows = rows_of(capsys)
        assert len(rows) == 6
        assert all("where it stands itself" in row for row in rows)


class TestOthersAtWork:
    """The orchestrator of another installation has not been stopped."""

    @pytest.fixture
    def names(self) -> dict[str, str]:
        mark = uuid4().hex[:8]
        return {"GROUP_ORCHESTRATOR": f"ours-{mark}", "FORMER_GROUPS_ORCHESTRATOR": f"theirs-{mark}"}

    @pytest.fixture
    def ours(self, settings: Settings, kafka_brokers: str, names: dict[str, str]) -> Iterator[Backends]:
        groups = {
            "group_orchestrator": names["GROUP_ORCHESTRATOR"],
            "former_groups_orchestrator": [names["FORMER_GROUPS_ORCHESTRATOR"]],
        }
        backends = Backends(settings.model_copy(update={"kafka_brokers": [kafka_brokers], **groups}), "test")
        yield backends
        backends.close()

    @pytest.fixture
    def theirs(self, kafka_brokers: str, names: dict[str, str]) -> Iterator[KafkaConsumer]:
        group = names["FORMER_GROUPS_ORCHESTRATOR"]
        with closing(KafkaConsumer("trigger.events", bootstrap_servers=kafka_brokers, group_id=group)) as consumer:
            eventually(lambda: consumer.poll(200) or consumer.assignment())
            yield consumer

    def test_ours_does_not_begin_beside_it(self, ours: Backends, theirs: KafkaConsumer) -> None:
        with pytest.raises(OthersAtWork, match="everything would run twice"):
            ours.bus.subscribe([events.TRIGGER_EVENTS], ours.settings.group_orchestrator, "member")
        with pytest.raises(OthersAtWork):
            ours.bus.ping()
        theirs.close()
        ours.bus.subscribe([events.TRIGGER_EVENTS], ours.settings.group_orchestrator, "member").close()
        ours.bus.ping()

    def test_no_event_is_sent_to_it_again(self, ours: Backends, theirs: KafkaConsumer) -> None:
        event = intake.NewEvent(None, uuid4(), uuid4(), "webhook", {}, {})
        with ours.engine.begin() as connection:
            intake.record(connection, [event])
        with pytest.raises(OthersAtWork):
            redelivery.resend(ours, 0.0)
        assert theirs.assignment()
        theirs.close()
        assert redelivery.resend(ours, 0.0).events == 1

    def test_a_start_is_refused_with_the_reason(
        self, ours: Backends, theirs: KafkaConsumer, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = {"KAFKA_BROKERS": ours.settings.kafka_brokers[0], "POSTGRES_URL": str(ours.settings.postgres_url)}
        for name, value in (names | address).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit, match=f"group {names['FORMER_GROUPS_ORCHESTRATOR']} of another installation"):
            main(["db", "upgrade"])
        assert theirs.assignment()
