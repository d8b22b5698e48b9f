"""Calls that come while another one is being stored: one statement, one commit and one publish for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from flowforge.bus import Message
from flowforge.engine.intake import AcceptedCall, CallKey, Intake, Repeat
from flowforge.errors import Conflict
from flowforge.wiring import Backends
from tests.api.things import accepted_events
from tests.statements import counting_statements
from tests.waiting import eventually

PATIENCE_SECONDS = 60
Call = Callable[[], AcceptedCall | None]


@pytest.fixture
def intake(backends: Backends) -> Intake:
    return Intake(backends, PATIENCE_SECONDS)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture
def call(intake: Intake, address: str) -> Callable[[int, CallKey | None], Call]:
    """A call of the webhook that is made later."""
    token = address.rpartition("/")[2]

    def prepared(order: int, key: CallKey | None = None) -> Call:
        return lambda: intake.accept("webhook", token, {"body": {"order": order}}, {}, key)

    return prepared


def at_once(
    intake: Intake, engine: Engine, threads: ThreadPoolExecutor, first: Call, others: Sequence[Call]
) -> list[Future[AcceptedCall | None]]:
    """The others come, in this order, while PostgreSQL is still storing the first."""
    with engine.begin() as holding:
        holding.exec_driver_sql("LOCK TABLE trigger_service.trigger_events IN SHARE MODE")
        made = [threads.submit(first)]
        eventually(lambda: intake.calls.is_storing and intake.calls.waiting == 0)
        for each in others:
            made.append(threads.submit(each))
            eventually(lambda: intake.calls.waiting == len(made) - 1)
    return made


def test_cost_one_statement_one_commit_and_one_publish(
    intake: Intake,
    call: Callable[..., Call],
    engine: Engine,
    backends: Backends,
    threads: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published: list[Sequence[Message]] = []
    monkeypatch.setattr(backends.bus, "publish", published.append)
    with counting_statements(backends.engine) as statements:
        made = at_once(intake, engine, threads, call(0), [call(order) for order in range(1, 10)])
        accepted = [each.result(60) for each in made]

    with engine.connect() as connection:
        commits = connection.exec_driver_sql(
            "SELECT count(DISTINCT xmin::text) FROM trigger_service.trigger_events"
        ).scalar_one()
    assert len([sent for sent in statements if "INSERT" in sent]) == 2
    assert commits == 2
    assert [len(messages) for messages in published] == [1, 9]
    assert [each.payload for each in accepted_events(engine)] == [{"body": {"order": order}} for order in range(10)]
    assert len({each.event_id for each in accepted if each}) == 10


def test_with_one_key_are_one_event(
    intake: Intake, call: Callable[..., Call], engine: Engine, threads: ThreadPoolExecutor
) -> None:
    same = CallKey("k", "digest of 1", Repeat.OF_THE_SAME)
    other = CallKey("k", "digest of 2", Repeat.OF_THE_SAME)
    _, first, repeat, refused, last = at_once(
        intake, engine, threads, call(0), [call(1, same), call(1, same), call(2, other), call(3)]
    )

    assert first.result(60).event_id == repeat.result(60).event_id  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        refused.result(60)
    assert last.result(60) is not None
    assert len(accepted_events(engine)) == 3


def test_do_not_fail_because_of_one_that_cannot_be_stored(
    intake: Intake, call: Callable[..., Call], engine: Engine, threads: ThreadPoolExecutor
) -> None:
    too_long_for_an_index = CallKey(os.urandom(8_000).hex())
    _, bad, good = at_once(intake, engine, threads, call(0), [call(1, too_long_for_an_index), call(2)])

    assert good.result(60) is not None
    with pytest.raises(DBAPIError):
        bad.result(60)
    assert [each.payload["body"]["order"] for each in accepted_events(engine)] == [0, 2]
