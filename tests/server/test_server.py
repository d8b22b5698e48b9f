"""The server's threads and connections, around applications of a few lines."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.services.http_server import Running, everything, response, serving, statuses
from tests.waiting import eventually
from webapp.live.connection_handoff import CAN_HAND_OFF, HandedOff
from webapp.server.server import Server

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Meeting:
    """An application whose requests wait until they are let go."""

    def __init__(self) -> None:
        self.guests = 0
        self.may_end = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.guests += 1
            self.may_end.wait(20)
        start_response("200 OK", [("Content-Length", "3")])
        return [b"abc"]


@pytest.fixture
def meeting() -> Iterator[Meeting]:
    made = Meeting()
    yield made
    made.may_end.set()


MEET = GET.replace(b"GET", b"POST")


def ended(server: Server) -> bool:
    """Whether a server that drains has closed what it had: also the connection of which it had said that it is kept."""
    server.close_idle()
    return not server.is_busy


def threads() -> int:
    return sum(thread.name.startswith("web-") for thread in threading.enumerate())


def test_so_many_requests_are_served_at_once(meeting: Meeting) -> None:
    with serving(meeting, threads=3) as running, ExitStack() as connections:
        asking = [connections.enter_context(running.connect()) for _ in range(5)]
        for connection in asking:
            connection.sendall(MEET)
        eventually(lambda: meeting.guests == 3)
        meeting.may_end.set()
        assert [connection.recv(65536)[-3:] for connection in asking] == [b"abc"] * 5
        assert threads() == 3


def test_threads_are_started_as_they_are_needed(meeting: Meeting) -> None:
    with serving(meeting, threads=50) as running:
        for _ in range(20):
            running.exchange(CLOSING)
        assert threads() < 20
    eventually(lambda: threads() == 0)


def test_one_that_waits_for_more_holds_no_thread() -> None:
    with serving(response(b"abc"), threads=1) as running, running.connect() as slow:
        slow.sendall(GET[:10])
        assert statuses(running.exchange(GET)) == [200]
        slow.sendall(GET[10:])
        assert statuses(slow.recv(65536)) == [200]


def test_connections_make_room_for_new_ones() -> None:
    with serving(response(b"abc"), connections=8) as running, ExitStack() as held:
        silent = [held.enter_context(running.connect()) for _ in range(8)]
        for connection in silent:
            connection.sendall(GET)
            connection.recv(65536)
        silent[0].sendall(GET[:10])
        assert statuses(running.exchange(GET)) == [200]
        assert silent[1].recv(1) == b""  # the one that was silent longest
        silent[0].sendall(GET[10:])
        assert statuses(silent[0].recv(65536)) == [200]


def test_where_none_makes_room_the_next_one_waits(meeting: Meeting) -> None:
    with serving(meeting, connections=2) as running, ExitStack() as held:
        for connection in [held.enter_context(running.connect()) for _ in range(2)]:
            connection.sendall(MEET)
        eventually(lambda: meeting.guests == 2)
        with running.connect() as late:
            late.sendall(CLOSING)
            meeting.may_end.set()
            assert statuses(everything(late)) == [200]


def test_a_server_that_drains_answers_what_it_has_and_keeps_nothing(meeting: Meeting) -> None:
    with serving(meeting) as running, running.connect() as working, running.connect() as kept:
        kept.sendall(GET)
        kept.recv(65536)
        working.sendall(MEET)
        eventually(lambda: meeting.guests == 1)
        running.server.drain()
        kept.sendall(GET)
        assert b"Connection: close" in everything(kept)
        assert running.server.is_busy
        meeting.may_end.set()
        assert statuses(working.recv(65536)) == [200]
        eventually(lambda: ended(running.server))
        assert everything(working) == b""


def test_after_so_many_requests_it_has_had_enough() -> None:
    with serving(response(b"abc"), requests=3) as running, running.connect() as connection:
        for count in (1, 2, 3):
            assert not running.server.is_exhausted
            connection.sendall(GET)
            answer = connection.recv(65536)
            assert (b"Connection: close" in answer) is (count == 3)
        assert running.server.is_exhausted


def test_of_these_each_counts_however_it_ends() -> None:
    with serving(response(b"abc"), requests=3) as running:
        for _ in range(3):
            assert not running.server.is_exhausted
            running.exchange(CLOSING)
        assert running.server.is_exhausted


def test_one_who_waits_to_be_told_is_told_behind_another_answer() -> None:
    asking = MEET.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    with serving(response(b"abc")) as running, running.connect() as connection:
        connection.sendall(GET + asking)
        received = b""
        while not received.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            part = connection.recv(65536)
            assert part
            received += part
        connection.sendall(b"xyz")
        assert statuses(connection.recv(65536)) == [200]


def test_where_no_connection_is_kept_one_may_still_begin_late() -> None:
    with serving(response(b"abc"), idle_seconds=0) as running, running.connect() as connection:
        assert statuses(running.exchange(GET)) == [200]
        running.server.sweep()
        connection.sendall(GET)
        assert statuses(everything(connection)) == [200]


@pytest.mark.parametrize("watched_before", [False, True], ids=["at once", "after another request"])
def test_a_connection_is_handed_off(watched_before: bool) -> None:
    taken: list[socket.socket] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        assert environ[CAN_HAND_OFF]
        start_response("200 OK", [])
        yield b"begin"
        if environ["REQUEST_METHOD"] == "POST":
            raise HandedOff(taken.append)

    with serving(application) as running, running.connect() as connection:
        if watched_before:
            connection.sendall(GET)
            eventually(lambda: connection.recv(65536).endswith(b"0\r\n\r\n"))
        connection.sendall(MEET)
        assert connection.recv(65536).endswith(b"5\r\nbegin\r\n")
        eventually(lambda: len(taken) == 1 and not running.server.is_busy)
        with taken[0] as end:
            connection.sendall(GET)  # nobody here reads it any more
            assert end.recv(65536) == GET
            end.sendall(b"by somebody else")
        assert everything(connection) == b"by somebody else"
        assert statuses(running.exchange(CLOSING)) == [200]


class TestSlowReaders:
    LARGE = bytes(20_000_000)

    @pytest.fixture
    def running(self) -> Iterator[Running]:
        def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            answer = response(self.LARGE if environ["REQUEST_METHOD"] == "POST" else b"abc")
            return list(answer(environ, start_response))

        with serving(application, threads=4) as made:
            yield made

    def test_leave_threads_to_others_however_many_they_are(self, running: Running) -> None:
        with ExitStack() as held:
            for _ in range(6):
                held.enter_context(running.connect()).sendall(MEET)
            eventually(lambda: threads() == 4)
            assert statuses(running.exchange(GET)) == [200]

    def test_get_all_of_it(self, running: Running) -> None:
        assert running.exchange(MEET).endswith(self.LARGE)


class TestFaults:
    """Each ends one connection; the thread goes on."""

    @pytest.fixture
    def small_disk(self) -> Iterator[None]:
        """No file can have more than 400 kB."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    @pytest.mark.usefixtures("small_disk")
    @pytest.mark.parametrize("size", [1_000, 100_000], ids=["in small pieces", "in large pieces"])
    def test_a_body_for_which_the_disk_has_no_room(self, size: int) -> None:
        with serving(response(b"abc"), threads=1) as running:
            with running.connect() as sender, suppress(ConnectionError):
                sender.sendall(MEET.replace(b"\r\n\r\n", b"\r\nContent-Length: 600000\r\n\r\n"))
                for _ in range(500_000 // size):
                    sender.sendall(b"x" * size)
                assert statuses(everything(sender)) == [503]
            assert statuses(running.exchange(GET)) == [200]

    def test_an_application_that_exits_ends_no_thread(self) -> None:
        def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                raise SystemExit(1)
            return list(response(b"abc")(environ, start_response))

        with serving(application, threads=1) as running:
            assert running.exchange(MEET) == b""
            assert statuses(running.exchange(GET)) == [200]

    def test_nor_does_one_who_cannot_take_a_connection(self) -> None:
        def take(connection: socket.socket) -> None:
            connection.close()
            raise ValueError("whatever it is")

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", [])
            yield b"begin"
            if environ["REQUEST_METHOD"] == "POST":
                raise HandedOff(take)

        with serving(application, threads=1) as running:
            assert statuses(running.exchange(MEET)) == [200]
            assert statuses(running.exchange(GET)) == [200]


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        return self_signed(tmp_path / "certificate.pem")

    @pytest.fixture
    def running(self, certificate: Path) -> Iterator[Running]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with serving(response(b"x" * 300_000), threads=1, tls=context) as made:
            yield made

    @pytest.fixture
    def trusting(self, certificate: Path) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate))

    def test_requests_are_answered(self, running: Running, trusting: ssl.SSLContext) -> None:
        with trusting.wrap_socket(running.connect(), server_hostname="127.0.0.1") as connection:
            connection.sendall(
                GET * 2 + MEET.replace(b"\r\n\r\n", b"\r\nContent-Length: 100000\r\n\r\n") + b"y" * 100_000
            )
            connection.sendall(CLOSING)
            assert len(statuses(everything(connection))) == 4

    def test_who_says_nothing_holds_no_thread(self, running: Running, trusting: ssl.SSLContext) -> None:
        with running.connect() as silent, running.connect() as in_clear:
            in_clear.sendall(GET)
            with trusting.wrap_socket(running.connect(), server_hostname="127.0.0.1") as connection:
                connection.sendall(CLOSING)
                assert statuses(everything(connection)) == [200]
            with suppress(ConnectionResetError):
                assert not statuses(everything(in_clear))
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):
                silent.recv(1)


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    unencrypted = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, unencrypted)
    )
    return path
