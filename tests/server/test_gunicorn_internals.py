"""The private parts of gunicorn that webapp.server.worker stands on.

Nothing promises that they stay. These tests name them, and fail for another version of gunicorn until it is checked.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import gunicorn
import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

CHECKED_VERSION = "27.0.1"
WHAT_TO_CHECK = f"""
gunicorn has changed from {CHECKED_VERSION} to {gunicorn.__version__}. webapp/server/worker.py overrides private parts
of its threaded worker. Compare the two versions of these files, then change CHECKED_VERSION:

- workers/gthread.py, ThreadWorker: `run` calls `murder_pending` after every round of events; `accept` counts a
  connection in `nr_conns` and gives it to `enqueue_req`, which runs `handle` in the pool and then `finish_request` on
  the main thread; whoever closes a connection counts it down. `handle` calls `handle_request`, lets an OSError pass
  without an answer, and returns whether the connection is kept. Does anything else read or close `pending_conns`?
- workers/gthread.py, TConn: `init` makes the parser once; `data_ready` keeps `handle` from waiting for data.
- http/unreader.py: `unread` puts bytes before those that are buffered, `take_buffered` reads nothing.
- http/message.py: `force_close`, and `_expected_100_continue`, which makes the body's reader send `100 Continue`.
- http/wsgi.py: the application is called in the thread and context of `handle_request`.

Then run tests/server and tests/live, which use all of it in a real server.
"""

OVERRIDDEN: dict[str, list[str]] = {
    "load_wsgi": [],
    "run": [],
    "handle": ["conn"],
    "handle_request": ["req", "conn"],
    "finish_request": ["conn", "fs"],
    "murder_pending": [],
}
CALLED: dict[str, list[str]] = {"enqueue_req": ["conn"], "handle_exit": ["sig", "frame"]}


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.fixture
def worker() -> Iterator[ThreadWorker]:
    """A worker that serves nothing."""
    config = Config()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = ThreadWorker(0, 0, [listener], None, 30, config, config.logger_class(config))
        yield made
        made.tmp.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def connection(worker: ThreadWorker, ends: tuple[socket.socket, socket.socket]) -> TConn:
    return TConn(worker.cfg, ends[0], ("127.0.0.1", 1), ("127.0.0.1", 2))


def test_somebody_has_looked_at_this_version() -> None:
    assert gunicorn.__version__ == CHECKED_VERSION, WHAT_TO_CHECK


@pytest.mark.parametrize(("name", "expected"), (OVERRIDDEN | CALLED).items())
def test_methods_keep_their_parameters(name: str, expected: list[str]) -> None:
    assert parameters(getattr(ThreadWorker, name)) == expected


def test_a_worker_has_what_ours_uses(worker: ThreadWorker) -> None:
    assert worker.nr_conns == 0
    assert worker.worker_connections == worker.cfg.worker_connections
    assert worker.alive
    assert len(worker.sockets) == 1
    assert not worker.cfg.is_ssl
    assert hasattr(worker, "poller")
    assert hasattr(worker, "log")
    worker.pending_conns.append("a connection")
    worker.pending_conns.remove("a connection")


def test_a_connection_is_not_begun_until_it_is_initialised(connection: TConn) -> None:
    assert (connection.parser, connection.initialized, connection.data_ready) == (None, False, False)
    assert not connection.sock.getblocking()
    connection.init()
    parser = connection.parser
    connection.init()
    assert connection.parser is parser
    assert connection.sock.getblocking()


def test_bytes_that_are_put_back_come_before_those_that_are_buffered() -> None:
    unreader = IterUnreader(iter([b"must not be read"]))
    unreader.unread(b"second")
    unreader.unread(b"first, ")
    assert unreader.take_buffered() == b"first, second"
    assert unreader.take_buffered() == b""


def test_a_request_that_was_put_back_is_parsed_without_reading(connection: TConn) -> None:
    connection.init()
    connection.parser.unreader.unread(
        b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n{}"
    )
    request = next(connection.parser)
    assert isinstance(request, Request)
    assert ("X-A", "1") in request.headers
    assert request._expected_100_continue
    assert not request.should_close()
    request.force_close()
    assert request.should_close()
    assert request.body.read() == b"{}"


def test_nothing_is_sent_for_an_os_error_of_the_application(
    worker: ThreadWorker, connection: TConn, ends: tuple[socket.socket, socket.socket]
) -> None:
    """The body of a live stream raises one when its connection is handed off."""

    class HandedOff(OSError):
        pass

    def application(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Connection", "close")])
        yield b"begin"
        raise HandedOff

    worker.wsgi = application
    connection.init()
    connection.data_ready = True
    connection.parser.unreader.unread(b"GET / HTTP/1.0\r\n\r\n")
    with pytest.raises(HandedOff):
        worker.handle_request(next(connection.parser), connection)
    ends[0].close()
    assert ends[1].recv(65536).endswith(b"begin")
    assert ends[1].recv(65536) == b""


def test_a_connection_that_is_not_kept_is_counted_down(worker: ThreadWorker, connection: TConn) -> None:
    worker.nr_conns = 1
    done: Future[bool] = Future()
    done.set_result(False)
    worker.finish_request(connection, done)
    assert worker.nr_conns == 0
