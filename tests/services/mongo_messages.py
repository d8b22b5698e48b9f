"""A server that speaks MongoDB's protocol and gives each command the answer it is told, whatever that is."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

import bson

from tests.services.serving import accepting

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any] | bytes]
"""Gives the document that is answered to a command; or bytes that are sent as they are, before the connection ends."""
_OP_MSG = 2013


def answering_mongo(answer: Answer) -> AbstractContextManager[int]:
    """Its port."""
    return accepting(partial(_serve, answer))


def _serve(answer: Answer, client: socket.socket) -> None:
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
