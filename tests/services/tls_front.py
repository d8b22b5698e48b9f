"""TLS in front of a PostgreSQL server that was built without it, as the wheel's is."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import AbstractContextManager, suppress
from functools import partial

from tests.connectors.certificate import Certificate
from tests.services.serving import accepting

_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
"""https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest."""


def tls_front(port: int, certificate: Certificate) -> AbstractContextManager[int]:
    """A port that takes clients with TLS and without, and hands on what they say to the server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    return accepting(partial(_serve, context, port))


def _serve(context: ssl.SSLContext, port: int, client: socket.socket) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
        begun = client.recv(8, socket.MSG_WAITALL)
        if begun == _ASKS_FOR_TLS:
            client.sendall(b"S")
            client = context.wrap_socket(client, server_side=True)
        else:
            server.sendall(begun)
        threading.Thread(target=_hand_on, args=(server, client), daemon=True).start()
        _hand_on(client, server)
    client.close()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
