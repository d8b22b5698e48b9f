"""Connections that are kept between requests: what comes over one is the answer to whoever has asked."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from flowforge.connectors.http_client import loop_connections
from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.sdk import StepContext
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.certificate import make_certificate
from tests.connectors.step_loop import StepLoop
from tests.connectors.test_http import Adding
from tests.services.serving import accepting

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
STRAY = ANSWER % (5, b"stray")


class Server:
    """Answers each request with its number, whichever connection it comes by. `begins`, `ends`: what it sends of the
    first answer at once, and what a moment later."""

    def __init__(self, begins: bytes, ends: bytes) -> None:
        self.connections = 0
        self.ended = threading.Semaphore(0)
        """Connections that the client has closed."""
        self.said_all = threading.Event()
        self._first = begins, ends
        self._numbers = count(1)

    def __call__(self, client: socket.socket) -> None:
        self.connections += 1
        with client, suppress(OSError):
            while client.recv(65536):
                number = next(self._numbers)
                if number > 1:
                    client.sendall(ANSWER % (1, b"%d" % number))
                    continue
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in self._first:
                    client.sendall(piece)
                    threading.Event().wait(0.1)
                self.said_all.set()
        self.ended.release()


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (ANSWER % (1, b"1") + STRAY, b""),
        (ANSWER % (1, b"1") + STRAY[:30], b""),
        (ANSWER % (1, b"1") + b"HTTP", b""),
        (ANSWER % (1, b"1"), STRAY),
        (ANSWER % (1, b"1"), STRAY[:30]),
        (ANSWER % (1, b""), b"1" + STRAY),
        (ANSWER % (1, b""), b"1" + STRAY[:30]),
        (ANSWER % (1, b"1"), b"no HTTP at all"),
    ],
)
def test_what_nobody_has_asked_for_is_not_the_next_answer(context: StepContext, begins: bytes, ends: bytes) -> None:
    server = Server(begins, ends)
    with accepting(server) as port:
        url = f"http://127.0.0.1:{port}/"
        assert context.tools.http.send(context, "GET", url).text == "1"
        assert server.said_all.wait(30)
        assert context.tools.http.send(context, "GET", url).text == "2"
        assert context.tools.http.send(context, "GET", url).text == "3"


def test_a_connection_serves_the_next_request(context: StepContext) -> None:
    server = Server(ANSWER % (1, b"1"), b"")
    with accepting(server) as port:
        url = f"http://127.0.0.1:{port}/"
        assert [context.tools.http.send(context, "GET", url).text for _ in range(3)] == ["1", "2", "3"]
    assert server.connections == 1


def test_a_connection_that_is_kept_holds_nothing_of_an_answer(context: StepContext) -> None:
    body = b"held by nobody"
    server = Server(ANSWER % (len(body), body), b"")
    with accepting(server) as port:
        url = f"http://127.0.0.1:{port}/"
        assert context.tools.http.send(context, "GET", url).content == body
        assert context.tools.http.send(context, "GET", url).text == "2"
        gc.collect()
        held = [each for each in gc.get_objects() if isinstance(each, IncomingAnswer) and each.pieces == [body]]
    assert server.connections == 1
    assert held == []


def test_few_are_kept(
    context: StepContext,
    step_loop: StepLoop | None,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if step_loop is None:
        pytest.skip("requests keeps those of the last hosts")
    monkeypatch.setattr(loop_connections, "_MOST_IDLE", 2)
    servers = [Server(ANSWER % (1, b"1"), b"") for _ in range(3)]
    with ExitStack() as all_of_them:
        for port in [all_of_them.enter_context(accepting(server)) for server in servers]:
            context.tools.http.send(context, "GET", f"http://127.0.0.1:{port}/")
        assert servers[0].ended.acquire(timeout=30)
        assert not servers[2].ended.acquire(blocking=False)


class DeafTlsServer:
    """Answers, and never takes note of the end of TLS."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.left = threading.Event()
        """The client has closed its connection."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def __call__(self, client: socket.socket) -> None:
        with socket.socket(fileno=socket.dup(client.fileno())) as raw:
            with self._context.wrap_socket(client, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
                raw.settimeout(20)
                with suppress(ConnectionResetError):
                    while raw.recv(65536):
                        continue
            self.left.set()


def test_a_tls_connection_ends_without_the_receivers_consent(context: StepContext, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "127.0.0.1")
    server = DeafTlsServer(certificate.chain, certificate.key)
    signer = Adding({}, TlsIdentity(authorities=certificate.authority.read_text()))
    with accepting(server) as port:
        answer = context.tools.http.send(context, "GET", f"https://127.0.0.1:{port}/", signed_by=signer)
        assert answer.text == "hi"
        assert server.left.wait(20)
