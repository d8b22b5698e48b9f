"""The address that the benchmarked workflow calls: notes when each order arrived, and answers at once, or never."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Receiver:
    def __init__(self, *, answers: bool = True) -> None:
        self.arrived: dict[int, float] = {}
        """When each order was called for first."""
        self.calls = 0
        self.last_call = 0.0
        self._answers = answers
        self.port = 0
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def action(self, order: str = "{{ trigger.body.order }}") -> dict[str, Any]:
        """A step that calls it, with the number of an order, such as the one that a webhook was called with."""
        url = f"http://127.0.0.1:{self.port}/"
        return {"type": "HTTP_REQUEST", "config": {"method": "POST", "url": url, "body": {"order": order}}}

    async def stop(self) -> None:
        self._server.close()
        for writer in self._connections:
            writer.close()
        await asyncio.gather(*(task for task in self._connections.values() if task))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = asyncio.current_task()
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                order = json.loads(await reader.readexactly(length))["order"]
                self.calls += 1
                self.last_call = time.perf_counter()
                self.arrived.setdefault(order, self.last_call)
                if self._answers:
                    writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
