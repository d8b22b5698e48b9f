"""Lines of the log are published for those who watch, and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from redis import Redis

from flowforge import jsonio
from flowforge.live import announce, channel
from flowforge.logbook import LogEntry


def line(execution_id: UUID | None, number: int = 0) -> LogEntry:
    ids = (f"{number:024x}", uuid4(), uuid4(), execution_id, None)
    return LogEntry(*ids, "RESULT", "SUCCESS", {}, datetime(2026, 3, 4, tzinfo=UTC))


def commands(redis: Redis) -> dict[str, int]:
    """How often the server was asked each command so far."""
    found: Any = redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in found.items()}


def asked(redis: Redis, before: dict[str, int], command: str) -> int:
    return commands(redis).get(command, 0) - before.get(command, 0)


def test_a_batch_that_nobody_watches_costs_one_question(redis: Redis) -> None:
    lines = [line(uuid4(), number) for number in range(200)]
    before = commands(redis)
    announce(redis, lines)
    assert (asked(redis, before, "pubsub|numsub"), asked(redis, before, "publish")) == (1, 0)


def test_lines_about_no_execution_cost_nothing(redis: Redis) -> None:
    before = commands(redis)
    announce(redis, [line(None)])
    assert (asked(redis, before, "pubsub|numsub"), asked(redis, before, "publish")) == (0, 0)


def test_a_viewer_gets_every_line_of_its_execution_in_order_and_no_other(redis: Redis) -> None:
    watched, other = uuid4(), uuid4()
    lines = [line(execution, number) for number, execution in enumerate([watched, other, watched, None, watched])]
    with redis.pubsub(ignore_subscribe_messages=True) as viewer:
        viewer.subscribe(channel(watched))
        viewer.get_message(timeout=10)
        before = commands(redis)
        announce(redis, lines)
        told = [jsonio.loads(viewer.get_message(timeout=10)["data"])["entry"]["id"] for _ in range(3)]
    assert told == [lines[0].id, lines[2].id, lines[4].id]
    assert asked(redis, before, "publish") == 3
