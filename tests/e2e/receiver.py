"""A real HTTP server that notes what it is sent; `/echo` gives it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.services.serving import JsonExchange, JsonServer, serving


@dataclass(frozen=True)
class Call:
    path: str
    body: Any
    idempotency_key: str | None


@dataclass
class Receiver:
    url: str = ""
    calls: list[Call] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Exchange(JsonExchange):
        def do_POST(self) -> None:  # noqa: N802
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.calls.append(Call(self.path, json.loads(data), self.headers.get("Idempotency-Key")))
            self.answer(data if self.path == "/echo" else b'{"id": 42}')

    server = JsonServer(Exchange)
    receiver.url = server.url
    with serving(server):
        yield receiver
