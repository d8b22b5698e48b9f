"""A server that speaks MongoDB's protocol and gives each command the answer it is told, whatever that is."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import bson

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any] | bytes]
"""Gives the document that is answered to a command; or bytes that are sent as they are, before the connection ends."""
_OP_MSG = 2013


@contextmanager
def answering_mongo(answer: Answer) -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, answer), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, answer: Answer) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, answer), daemon=True).start()


def _serve(client: socket.socket, answer: Answer) -> None:
    with client, suppress(OSError, struct.error):
        while True:
            length, request, _, _ = struct.unpack("<iiii", client.recv(16, socket.MSG_WAITALL))
            body = client.recv(length - 16, socket.MSG_WAITALL)
            told = answer(bson.decode(body[5:]))
            if isinstance(told, bytes):
                client.sendall(told)
                return
            content = b"\0\0\0\0\0" + bson.encode(told)
            client.sendall(struct.pack("<iiii", 16 + len(content), 1, request, _OP_MSG) + content)
