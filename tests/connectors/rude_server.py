"""A receiver that misbehaves, on a real socket."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextmanager
def rude(behaviour: Behaviour) -> Iterator[str]:
    """The URL of a server that reads the request and then behaves so."""
    ending = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not ending.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    behaviour(connection, ending)
                except OSError:
                    continue  # the client had enough

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ending.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def redirects_to(target: str) -> Behaviour:
    def redirect(connection: socket.socket, _ending: threading.Event) -> None:
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())

    return redirect


def hangs(connection: socket.socket, ending: threading.Event) -> None:
    ending.wait()


def drips_its_head(connection: socket.socket, ending: threading.Event) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000:
        connection.sendall(bytes([byte]))
        if ending.wait(0.1):
            return


def drips_its_body(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while not ending.wait(0.1):
        connection.sendall(b"y")


def drips_its_chunk_size(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while not ending.wait(0.1):
        connection.sendall(b"y")


def drips_a_handshake(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x03\x40\x00\x02")
    while not ending.wait(0.1):
        connection.sendall(b"\x00")


def takes_nothing_more(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    ending.wait()


def declares_3_gb(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000000\r\n\r\n")
    ending.wait()


def sends_without_end(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"y" * 0x10000 + b"\r\n"
    while not ending.is_set():
        connection.sendall(chunk)


def resets(connection: socket.socket, ending: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def informs_without_end(connection: socket.socket, ending: threading.Event) -> None:
    _floods(connection, ending, b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def sends_long_headers(connection: socket.socket, ending: threading.Event) -> None:
    headers = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 60_000) for number in range(90))
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n")
    ending.wait()


def sends_many_headers(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100 + b"Content-Length: 0\r\n\r\n")
    ending.wait()


def names_no_end_of_a_chunk_size(connection: socket.socket, ending: threading.Event) -> None:
    _floods(connection, ending, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b";y")


def wraps_each_byte(connection: socket.socket, ending: threading.Event) -> None:
    _floods(connection, ending, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;yyyyyyyyyy\r\ny\r\n")


def _floods(connection: socket.socket, ending: threading.Event, first: bytes, then: bytes) -> None:
    connection.sendall(first)
    while not ending.is_set():
        connection.sendall(then * 4096)
