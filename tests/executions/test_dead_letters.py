"""Whose a dead letter is, and what becomes of it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from flowforge import events, jsonio
from flowforge.accounts import registration
from flowforge.accounts.registration import NewAccount
from flowforge.bus import Delivery
from flowforge.errors import Conflict, NotFound
from flowforge.executions import dead_letters
from flowforge.executions.dead_letters import bury, page_of
from flowforge.wiring import Backends


@pytest.fixture
def people(session: Session) -> list[UUID]:
    """The owner of the instance first."""
    return [
        registration.add(session, NewAccount(name, f"{name}@example.test", "a long password")).id
        for name in ("op", "ada")
    ]


def buried(backends: Backends, value: bytes, topic: str = events.EXECUTION_RESULT) -> None:
    with backends.engine.begin() as connection:
        bury(connection, Delivery(topic, "key", value, uuid4().hex), "group", "it is not\0 JSON")


def reasons(session: Session, user_id: UUID) -> list[str]:
    return [letter.value for letter in page_of(session, user_id).letters]


def test_a_letter_is_its_users_or_the_operators(session: Session, backends: Backends, people: list[UUID]) -> None:
    operator, ada = people
    named = jsonio.dumps({"userId": str(ada)})
    gone = jsonio.dumps({"user_id": str(uuid4())})
    for value in (named, gone, b"\xff\x00", b"[]", b'{"userId": 5}'):
        buried(backends, value)
    assert reasons(session, ada) == [named.decode()]
    assert reasons(session, operator) == ['{"userId": 5}', "[]", r"\xff\x00", gone.decode()]


def test_a_broker_that_was_wiped_hides_no_letter(session: Session, backends: Backends, people: list[UUID]) -> None:
    """It counts its positions from the beginning again."""
    for value in (b"before", b"afterwards", b"afterwards"):
        with backends.engine.begin() as connection:
            bury(connection, Delivery(events.EXECUTION_RESULT, "key", value, "0:7"), "group", "it is not JSON")
    assert reasons(session, people[0]) == ["afterwards", "before"]


def test_pages_follow_each_other(session: Session, backends: Backends, people: list[UUID]) -> None:
    for number in range(5):
        buried(backends, str(number).encode())
    first = page_of(session, people[0], size=3)
    second = page_of(session, people[0], first.after, size=3)
    assert [letter.value for letter in (*first.letters, *second.letters)] == ["4", "3", "2", "1", "0"]
    assert second.after is None


def test_sent_again_it_is_on_its_topic_and_gone_here(session: Session, backends: Backends, people: list[UUID]) -> None:
    subscription = backends.bus.subscribe([events.EXECUTION_RESULT], "test-letters", "one")
    buried(backends, b"broken")
    [letter] = page_of(session, people[0]).letters
    with pytest.raises(NotFound):
        dead_letters.send_again(session, backends.bus, people[1], letter.id)
    dead_letters.send_again(session, backends.bus, people[0], letter.id)
    [delivery] = subscription.poll(10, 5)
    subscription.close()
    assert (delivery.key, delivery.value) == ("key", b"broken")
    assert reasons(session, people[0]) == []


def test_a_topic_of_nobodys_is_not_written_to(session: Session, backends: Backends, people: list[UUID]) -> None:
    buried(backends, b"x", "somebody.elses")
    [letter] = page_of(session, people[0]).letters
    with pytest.raises(Conflict):
        dead_letters.send_again(session, backends.bus, people[0], letter.id)


def test_a_discarded_one_is_gone(session: Session, backends: Backends, people: list[UUID]) -> None:
    buried(backends, b"x")
    [letter] = page_of(session, people[0]).letters
    with pytest.raises(NotFound):
        dead_letters.discard(session, people[1], letter.id)
    dead_letters.discard(session, people[0], letter.id)
    assert reasons(session, people[0]) == []
