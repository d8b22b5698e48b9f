"""Connecting beside those who wait: one attempt for all of them, and none that keeps anybody waiting twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flowforge.bus import Message
from flowforge.bus.kafka import KafkaBus
from flowforge.bus.link import Link
from flowforge.errors import Unavailable
from tests.waiting import eventually

PATIENT = 20


class Server:
    """Something to connect to, that answers when the test says so."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.attempts = 0
        self.closed: list[object] = []
        self.answers = threading.Event()
        self.answers.set()

    def connect(self) -> object:
        self.attempts += 1
        assert self.answers.wait(PATIENT)
        if not self.up:
            raise ConnectionRefusedError
        return object()

    def link(self, pause: float = 0) -> Link[object]:
        return Link("the server", self.connect, self.closed.append, (OSError,), pause)


def together(link: Link[object], count: int) -> list[object]:
    """What each of them got, or the error."""

    def get(_: int) -> object:
        try:
            return link.get(PATIENT)
        except Unavailable as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(get, range(count)))


def found(link: Link[object]) -> object:
    try:
        return link.get(PATIENT)
    except Unavailable:
        return None


def test_all_who_come_during_an_attempt_share_it() -> None:
    server = Server()
    server.answers.clear()
    link = server.link()
    threading.Timer(0.2, server.answers.set).start()
    assert len(set(map(id, together(link, 8)))) == 1
    assert server.attempts == 1


def test_all_who_come_during_a_vain_attempt_share_its_end() -> None:
    server = Server(up=False)
    server.answers.clear()
    threading.Timer(0.2, server.answers.set).start()
    assert {type(one) for one in together(server.link(pause=60), 8)} == {Unavailable}
    assert server.attempts == 1


def test_patience_ends_before_the_attempt_does() -> None:
    server = Server()
    server.answers.clear()
    link = server.link()
    with pytest.raises(Unavailable, match="not answered yet"):
        link.get(0.05)
    assert {type(one) for one in together(link, 8)} == {Unavailable}  # and nobody waits for it again
    server.answers.set()
    assert eventually(lambda: found(link))
    assert server.attempts == 1


def test_nobody_waits_for_what_is_known_to_be_away() -> None:
    server = Server(up=False)
    link = server.link()
    with pytest.raises(Unavailable):
        link.get(PATIENT)
    server.answers.clear()  # from now on an attempt takes for ever
    assert {type(one) for one in together(link, 8)} == {Unavailable}
    server.answers.set()


def test_nothing_is_tried_during_the_pause() -> None:
    server = Server(up=False)
    link = server.link(pause=60)
    for _ in range(5):
        with pytest.raises(Unavailable):
            link.get(PATIENT)
    assert server.attempts == 1


def test_what_comes_back_is_found_again() -> None:
    server = Server(up=False)
    link = server.link()
    with pytest.raises(Unavailable):
        link.get(PATIENT)
    server.up = True
    assert eventually(lambda: found(link))


def test_a_lost_client_is_ended_and_made_again() -> None:
    server = Server()
    link = server.link()
    first = link.get(PATIENT)
    link.report_loss(first)
    eventually(lambda: server.closed == [first])
    second = eventually(lambda: found(link))
    link.report_loss(first)  # too late
    assert link.get(PATIENT) is second


def test_a_dead_kafka_is_tried_once_for_all_who_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    away = threading.Event()

    def refuse(**options: Any) -> object:
        tried.append(options)
        away.wait(PATIENT)
        raise ConnectionRefusedError

    monkeypatch.setattr("flowforge.bus.kafka_python.KafkaProducer", refuse)
    bus = KafkaBus(["127.0.0.1:1"], "test", patience=0.1)

    def publish(_: int) -> bool:
        with pytest.raises(Unavailable):
            bus.publish([Message("trigger.events", "k", b"{}")])
        return True

    with ThreadPoolExecutor(10) as threads:  # the attempt goes on all the while
        assert all(threads.map(publish, range(30)))
    away.set()
    assert len(tried) == 1
