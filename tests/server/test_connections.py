"""Who has a connection: a thread that was told of it, or the sweep that looks for late senders."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.services.http_server import SETTINGS
from webapp.server.channel import Channel
from webapp.server.connection import Connection
from webapp.server.connections import Connections
from webapp.server.poller import Poller, make_poller
from webapp.server.slow_readers import SlowReaders

BEGINNING = b"GET / HTTP/1.1\r\n"


class Racing(Connection):
    """Something happens just after it was seen to be idle."""

    meanwhile: Callable[[], object] | None = None

    @property
    def is_idle(self) -> bool:
        seen = super().is_idle
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return seen


@dataclass(frozen=True, slots=True)
class Stage:
    poller: Poller
    connections: Connections
    connection: Racing
    sender: socket.socket

    def send(self) -> None:
        """And a thread is told of it, and waits for more."""
        self.sender.sendall(BEGINNING)
        assert self.connections.take(self.poller.next()) is self.connection
        assert self.connection.advance()
        self.connections.wait(self.connection)


@pytest.fixture
def stage() -> Iterator[Stage]:
    poller = make_poller()
    connections = Connections(poller)
    ours, theirs = socket.socketpair()
    racing = Racing(Channel(ours, SlowReaders(1)), "x", lambda _channel, _request: True, SETTINGS.receive, 1)
    with theirs, closing(racing):
        connections.add(racing)
        connections.wait(racing)
        yield Stage(poller, connections, racing, theirs)


LOOKING = [lambda all_: all_.take_idle(), lambda all_: all_.take_late(time.monotonic() + 2)]


@pytest.mark.parametrize("look", LOOKING, ids=["for idle ones", "for late ones"])
def test_one_that_goes_on_while_it_is_looked_at_is_left(
    stage: Stage, look: Callable[[Connections], list[Connection]]
) -> None:
    stage.connection.meanwhile = stage.send
    assert look(stage.connections) == []
    stage.send()  # so it waits as before
    assert stage.connections.in_memory == 2 * len(BEGINNING)


@pytest.mark.parametrize("look", LOOKING, ids=["for idle ones", "for late ones"])
def test_one_that_does_not_is_found(stage: Stage, look: Callable[[Connections], list[Connection]]) -> None:
    assert look(stage.connections) == [stage.connection]
