"""What a Valkey that answers, but does not carry, costs: a delay, and never the server's memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from flowforge import events
from flowforge.bus import Message
from flowforge.bus.streams import StreamsBus
from flowforge.engine import announcements, intake
from flowforge.errors import Unavailable
from flowforge.settings import Settings
from flowforge.wiring import connect_redis

TOPIC = "topic"
STREAM = f"flowforge:{TOPIC}"
MEGABYTE = 1024 * 1024


@pytest.fixture
def full(redis: Redis) -> Iterator[Redis]:
    """It refuses whatever would take more memory."""
    before: Any = redis.config_get("maxmemory")
    redis.config_set("maxmemory", 1)
    yield redis
    redis.config_set("maxmemory", before["maxmemory"])


@pytest.fixture
def read_only(redis: Redis) -> Iterator[Redis]:
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield redis
    redis.execute_command("REPLICAOF", "NO", "ONE")


@pytest.fixture
def forbidding(redis: Redis) -> Iterator[None]:
    """It lets nobody read streams."""
    redis.execute_command("ACL", "SETUSER", "default", "-@stream")
    yield
    redis.execute_command("ACL", "SETUSER", "default", "+@all")


@pytest.fixture
def locked(redis_url: str) -> Iterator[None]:
    """Somebody has given it a password."""
    with connect_redis(redis_url) as operator, operator.client() as connection:
        connection.config_set("requirepass", "a secret")
        yield
        connection.config_set("requirepass", "")


def message(value: bytes = b"a", topic: str = TOPIC) -> Message:
    return Message(topic, "k", value)


class TestAServerThatRefuses:
    def test_is_unavailable_when_it_is_full(self, full: Redis) -> None:
        with pytest.raises(Unavailable, match="maxmemory"):
            StreamsBus(full).publish([message(b"hush-hush")])

    def test_is_unavailable_when_it_is_read_only(self, redis: Redis, request: pytest.FixtureRequest) -> None:
        bus = StreamsBus(redis)
        subscription = bus.subscribe([TOPIC], "readers", "one")
        bus.publish([message()])
        deliveries = subscription.poll(10, 1)
        request.getfixturevalue("read_only")
        with pytest.raises(Unavailable):
            bus.publish([message()])
        with pytest.raises(Unavailable):
            subscription.poll(10, 0)
        with pytest.raises(Unavailable):
            subscription.ack(deliveries)
        with pytest.raises(Unavailable):
            bus.subscribe([TOPIC], "others", "one")

    def test_does_not_have_its_messages_quoted(self, full: Redis) -> None:
        with pytest.raises(Unavailable) as caught:
            StreamsBus(full).publish([message(b"hush-hush")])
        assert "hush-hush" not in f"{caught.value} {caught.value.__cause__}"

    def test_is_unavailable_while_something_else_has_the_name_of_a_stream(self, redis: Redis) -> None:
        bus = StreamsBus(redis)
        subscription = bus.subscribe([TOPIC], "readers", "one")
        redis.set(STREAM, "no stream")
        with pytest.raises(Unavailable, match="WRONGTYPE"):
            bus.subscribe([TOPIC], "others", "one")
        with pytest.raises(Unavailable, match="WRONGTYPE"):
            subscription.poll(10, 0)
        redis.delete(STREAM)
        assert subscription.poll(10, 0) == []

    def test_is_unavailable_while_it_forbids(self, redis: Redis, request: pytest.FixtureRequest) -> None:
        subscription = StreamsBus(redis).subscribe([TOPIC], "readers", "one")
        request.getfixturevalue("forbidding")
        with pytest.raises(Unavailable, match="no permissions"):
            StreamsBus(redis).subscribe([TOPIC], "others", "one")
        with pytest.raises(Unavailable, match="no permissions"):
            subscription.poll(10, 0)

    def test_is_unavailable_while_it_wants_another_password(
        self, redis: Redis, redis_url: str, request: pytest.FixtureRequest
    ) -> None:
        subscription = StreamsBus(redis).subscribe([TOPIC], "readers", "one")
        request.getfixturevalue("locked")
        with connect_redis(redis_url) as stranger, pytest.raises(Unavailable, match="refuses"):
            StreamsBus(stranger).subscribe([TOPIC], "others", "one")
        redis.connection_pool.disconnect()
        with pytest.raises(Unavailable, match="refuses"):
            subscription.poll(10, 0)

    def test_makes_a_lost_group_again_all_the_same(self, redis: Redis) -> None:
        bus = StreamsBus(redis, claim_after_seconds=0.2)
        subscription = bus.subscribe([TOPIC], "readers", "one")
        redis.flushall()
        assert subscription.poll(10, 0) == []
        bus.publish([message()])
        assert len(subscription.poll(10, 1)) == 1

    def test_lets_a_member_leave_a_lost_group(self, redis: Redis) -> None:
        subscription = StreamsBus(redis).subscribe([TOPIC], "readers", "one")
        redis.flushall()
        subscription.close()


def test_an_entry_that_no_bus_has_written_is_delivered_to_be_buried(redis: Redis) -> None:
    bus = StreamsBus(redis)
    subscription = bus.subscribe([TOPIC], "readers", "one")
    redis.xadd(STREAM, {"foreign": "entry"})
    redis.xadd(STREAM, {"k": b"\xff", "v": "a value"})
    bus.publish([message(b"ours")])
    assert [one.value for one in subscription.poll(10, 1)] == [b"", b"a value", b"ours"]


class Broken:
    """A bus with a defect of its own."""

    def publish(self, _messages: Any) -> None:
        raise ResponseError("what nobody has thought of")


def test_what_is_committed_never_fails_for_its_announcement(caplog: pytest.LogCaptureFixture) -> None:
    broken: Any = Broken()
    intake.announce(broken, [], inline_limit=1024)
    announcements.announce_quietly(broken, [message()])
    assert len(caplog.records) == 2


class TestAStreamThatNobodyReads:
    def test_stays_within_its_bytes(self, redis: Redis) -> None:
        bus = StreamsBus(redis, max_bytes=MEGABYTE)
        bus.subscribe([TOPIC], "dead", "one")
        for _ in range(40):
            bus.publish([message(b"x" * 50_000) for _ in range(4)])
        taken: Any = redis.memory_usage(STREAM)
        assert taken <= MEGABYTE * 5 // 4
        assert redis.xlen(STREAM) >= 5

    def test_keeps_its_newest(self, redis: Redis) -> None:
        bus = StreamsBus(redis, max_bytes=MEGABYTE)
        for number in range(100):
            bus.publish([message(b"%03d" % number + b"x" * 50_000)])
        entries: Any = redis.xrange(STREAM)
        kept = [fields[b"v"][:3] for _, fields in entries]
        assert kept == [b"%03d" % number for number in range(100 - len(kept), 100)]

    def test_owes_its_group_nothing_once_what_is_left_is_read(self, redis: Redis) -> None:
        """Else upkeep would wait for it to be read, and send nothing again."""
        bus = StreamsBus(redis, max_bytes=MEGABYTE, readers={TOPIC: frozenset({"slow"})})
        subscription = bus.subscribe([TOPIC], "slow", "one")
        for _ in range(100):
            bus.publish([message(b"x" * 50_000)])
        while deliveries := subscription.poll(10, 0):
            subscription.ack(deliveries)
        assert bus.lag() == {(TOPIC, "slow"): 0}

    def test_of_another_publisher_is_cut_when_the_server_is_full(
        self, redis: Redis, request: pytest.FixtureRequest
    ) -> None:
        """One who has counted nothing yet."""
        StreamsBus(redis).publish([message(b"x" * 50_000) for _ in range(40)])
        request.getfixturevalue("full")
        with pytest.raises(Unavailable):
            StreamsBus(redis, max_bytes=MEGABYTE).publish([message()])
        assert 5 <= int(redis.xlen(STREAM)) <= 20

    def test_of_dead_letters_is_short(self, redis: Redis) -> None:
        letters = [message(b"x", events.DEAD_LETTERS) for _ in range(3_000)]
        StreamsBus(redis).publish(letters)
        assert int(redis.xlen(f"flowforge:{events.DEAD_LETTERS}")) < 1_200

    def test_costs_a_publisher_of_little_no_look_at_it(self, redis: Redis) -> None:
        bus = StreamsBus(redis)
        redis.config_resetstat()
        for _ in range(100):
            bus.publish([message()])
        stats: Any = redis.info("commandstats")
        assert "cmdstat_memory|usage" not in stats


def test_payloads_stay_out_of_memory(tmp_path: Path) -> None:
    """On Valkey a large one travels by reference; Kafka has disks."""
    streams, kafka = (
        Settings(_env_file=None, home=tmp_path, kafka_brokers=brokers).payload_inline_limit for brokers in ([], ["b"])
    )
    chosen = Settings(_env_file=None, home=tmp_path, kafka_brokers=[], payload_inline_limit_setting=5000)
    assert (streams, kafka, chosen.payload_inline_limit) == (32 * 1024, 256 * 1024, 5000)
