"""The generator: closed loop (each client calls again as soon as it is answered) and open loop (a rate)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Load:
    """The calls that were sent: order number -> when, and how long the webhook took to answer."""

    sent: dict[int, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)


class Generator:
    def __init__(self, host: str, port: int, path: str) -> None:
        self._address = (host, port)
        self._head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        self._orders = itertools.count()

    async def closed(self, clients: int, seconds: float) -> Load:
        until = time.perf_counter() + seconds
        return await self._together(clients, lambda: time.perf_counter() < until)

    async def times(self, clients: int, calls: int) -> Load:
        """A closed loop of so many calls."""
        left = iter(range(calls))
        return await self._together(clients, lambda: next(left, None) is not None)

    async def open(self, rate: float, seconds: float) -> Load:
        load = Load()
        connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        tasks = []
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(load, connections)))
        await asyncio.gather(*tasks)
        while not connections.empty():
            connections.get_nowait()[1].close()
        return load

    async def _together(self, clients: int, goes_on: Callable[[], bool]) -> Load:
        load = Load()
        await asyncio.gather(*(self._client(load, goes_on) for _ in range(clients)))
        return load

    async def _client(self, load: Load, goes_on: Callable[[], bool]) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        while goes_on():
            await self._call(load, reader, writer)
        writer.close()

    async def _one(self, load: Load, idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        connection = await asyncio.open_connection(*self._address) if idle.empty() else idle.get_nowait()
        await self._call(load, *connection)
        idle.put_nowait(connection)

    async def _call(self, load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        order = next(self._orders)
        body = b'{"order":%d}' % order
        begun = time.perf_counter()
        writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"the webhook answered {head.splitlines()[0]!r}")
        load.sent[order] = begun
        load.answered.append(time.perf_counter() - begun)
