"""The transport of coroutines: their exchanges share one event loop, and wait without a thread.

Everything on it is done on that loop, and nothing of it blocks: names are looked up, certificates read, and bodies of
files written in threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from httptools import HttpParserError

from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.http_client.decoding import Decoding
from flowforge.connectors.http_client.failures import as_connector_error
from flowforge.connectors.http_client.loop_connection import LoopConnection
from flowforge.connectors.http_client.loop_connections import LoopConnections, Server
from flowforge.connectors.http_client.request import Request, Target
from flowforge.connectors.http_client.tls import TlsContexts, TlsIdentity
from flowforge.connectors.http_client.transport import Attempt
from flowforge.connectors.network.look_ups import LookUps
from flowforge.connectors.network.routes import Routes
from flowforge.exact_json import without_halves

_SENT_AT_ONCE_BYTES = 64 * 1024
T = TypeVar("T")


class LoopTransport:
    """Belongs to the event loop on which it is first used."""

    def __init__(self, routes: Routes, look_ups: LookUps) -> None:
        self._connections = LoopConnections(routes)
        self._look_ups = look_ups
        self._contexts = TlsContexts()

    async def exchange(self, attempt: Attempt, request: Request, identity: TlsIdentity, answer: IncomingAnswer) -> None:
        """See Transport. It never repeats a request behind the back of the engine, which knows what a repeat may do."""
        try:
            server = await self._server(request.target, identity, attempt)
            connection = self._connections.kept(server) or await self._opened(server, attempt)
            late = asyncio.get_running_loop().call_later(_seconds_left(attempt), connection.end_late)
            sending = None
            try:
                sending = _begin_to_send(connection, request, answer, attempt)
                del request  # thousands of calls may wait
                await _receive(connection, answer, attempt)
                goes_on = connection.end_exchange() and (sending is None or sending.done())
            except BaseException:
                connection.close()
                raise
            finally:
                late.cancel()
                if sending is not None:
                    sending.cancel()
        except (HttpParserError, OSError, ValueError) as error:
            raise as_connector_error(error, answer.host, attempt.deadline) from error
        if goes_on:
            self._connections.keep(server, connection)
        else:
            connection.close()

    async def do(self, attempt: Attempt, work: Callable[[], T], *, computes: bool = False, signs: bool = False) -> T:
        """See Transport."""
        return await attempt.in_thread(work, computes=computes, signs=signs)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ends all connections on which nothing happens."""
        self._connections.close()

    async def _server(self, target: Target, identity: TlsIdentity, attempt: Attempt) -> Server:
        """Raises ConnectorError for an identity that cannot be used."""
        if not target.secure:
            return Server(target.host, target.port, None)
        context = self._contexts.kept(identity)
        if context is None:
            async with asyncio.timeout(_seconds_left(attempt)):
                context = await attempt.in_thread(partial(self._contexts.make, identity))
        return Server(target.host, target.port, context)

    async def _opened(self, server: Server, attempt: Attempt) -> LoopConnection:
        async with asyncio.timeout(_seconds_left(attempt)):
            return await self._connections.open(server, self._look_ups.of(attempt.user_id))


def _seconds_left(attempt: Attempt) -> float:
    return attempt.deadline - time.monotonic()


def _begin_to_send(
    connection: LoopConnection, request: Request, answer: IncomingAnswer, attempt: Attempt
) -> asyncio.Task[None] | None:
    """Sends the request; of a large one the head, and returns the task that sends its body: the answer may come before
    that ends."""
    head = _head(request, request.target)
    if request.file is None and len(request.body) <= _SENT_AT_ONCE_BYTES:
        connection.send(request.method, head + request.body, answer)
        return None
    connection.send(request.method, head, answer)
    return asyncio.create_task(_send_body(connection, request, attempt))


async def _send_body(connection: LoopConnection, request: Request, attempt: Attempt) -> None:
    """Ends the exchange where the body cannot be read, or is not as long as the head of the request says."""
    left = request.size
    try:
        async for piece in _pieces(request, attempt):
            left -= len(piece)
            if left < 0:
                break
            await connection.write(piece)
        if left != 0:
            raise ValueError("the body has another size than it had")
    except Exception as error:  # noqa: BLE001  (whoever waits for the answer is told)
        connection.fail(error)


async def _pieces(request: Request, attempt: Attempt) -> AsyncIterator[bytes]:
    if request.file is None:
        for start in range(0, len(request.body), _SENT_AT_ONCE_BYTES):
            yield request.body[start : start + _SENT_AT_ONCE_BYTES]
        return
    pieces = iter(request.file)
    while (piece := await attempt.in_thread(partial(next, pieces, None))) is not None:
        yield piece


async def _receive(connection: LoopConnection, answer: IncomingAnswer, attempt: Attempt) -> None:
    """Returns once the answer is whole. Raises what keeps it from coming."""
    pieces = await connection.pieces()
    if not pieces:
        return
    async with asyncio.timeout(_seconds_left(attempt)):
        decoding = Decoding(answer.head)
        while pieces:
            for piece in pieces:
                for part in decoding.parts(piece):
                    await _take(answer, part, attempt)
            pieces = await connection.pieces()
        await _take(answer, decoding.end(), attempt)


async def _take(answer: IncomingAnswer, part: bytes, attempt: Attempt) -> None:
    """Takes a part of the body; lets others have their turn, since there may be more without anything to wait for."""
    if answer.is_taken:
        await attempt.in_thread(partial(answer.add, part))
    else:
        answer.add(part)
        await asyncio.sleep(0)


def _head(request: Request, target: Target) -> bytes:
    """Headers that are not ASCII go out as UTF-8."""
    lines = [f"{request.method} {target.path} HTTP/1.1\r\n"]
    if not request.header("Host"):
        lines.append(f"Host: {target.authority}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in request.headers.items()]
    lines.append("\r\n")
    return without_halves("".join(lines)).encode()
