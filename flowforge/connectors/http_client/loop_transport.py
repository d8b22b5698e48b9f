"""The transport of coroutines: `aiohttp`, whose requests share one event loop and wait without a thread.

Everything on it is done on that loop, and nothing of it blocks: names are looked up, certificates read, and bodies of
files written in threads.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from functools import cached_property, partial
from typing import TypeVar

import aiohttp
from yarl import URL

from flowforge import jsonio
from flowforge.connectors.http_client.answer import MOST_HEADERS, Header, IncomingAnswer
from flowforge.connectors.http_client.failures import as_connector_error
from flowforge.connectors.http_client.loop_connections import Exchange, GuardedConnector, current_exchange
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.http_client.tls import TlsContexts, TlsIdentity
from flowforge.connectors.http_client.transport import Attempt
from flowforge.connectors.network.look_ups import LookUps
from flowforge.connectors.network.routes import Routes

_LONGEST_HEADER = 64 * 1024
_SENT_AT_ONCE_BYTES = 64 * 1024
_READ_AT_ONCE_BYTES = 64 * 1024
"""aiohttp reads twice as many ahead, after decompression, before others have their turn."""
_NOT_OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add."""
T = TypeVar("T")


class LoopTransport:
    """Belongs to the event loop on which it is first used."""

    def __init__(self, routes: Routes, look_ups: LookUps) -> None:
        self._routes = routes
        self._look_ups = look_ups
        self._contexts = TlsContexts()

    async def exchange(self, attempt: Attempt, request: Request, identity: TlsIdentity, answer: IncomingAnswer) -> None:
        """See Transport."""
        exchange = Exchange(answer, self._look_ups.of(attempt.user_id))
        current_exchange.set(exchange)
        try:
            async with asyncio.timeout(attempt.deadline - time.monotonic()):
                await self._exchange(attempt, request, identity, answer)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise as_connector_error(error, answer.host, attempt.deadline) from error
        finally:
            exchange.answer = None

    async def do(self, attempt: Attempt, work: Callable[[], T], *, computes: bool = False, signs: bool = False) -> T:
        """See Transport."""
        return await attempt.in_thread(work, computes=computes, signs=signs)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ends all connections."""
        if "_session" in self.__dict__:
            await self._session.close()

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=GuardedConnector(self._routes),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=_NOT_OURS,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            max_headers=MOST_HEADERS,
            read_bufsize=_READ_AT_ONCE_BYTES,
        )
        # A request is never repeated behind the back of the engine, which knows what a repeat may do.
        session._retry_connection = False
        return session

    async def _exchange(
        self, attempt: Attempt, request: Request, identity: TlsIdentity, answer: IncomingAnswer
    ) -> None:
        url = URL(request.url, encoded=True).with_user(None)  # it stands in a header by now
        context = await self._context(identity, attempt) if url.scheme == "https" else True
        sending = self._session.request(
            request.method,
            url,
            headers={name: jsonio.writable(value) for name, value in request.headers.items()},
            data=_body(request, attempt),
            ssl=context,
            allow_redirects=False,
        )
        async with sending as received:
            answer.begin(received.status, _headers(received))
            async for piece in received.content.iter_any():
                if answer.is_taken:
                    await attempt.in_thread(partial(answer.add, piece))
                else:
                    answer.add(piece)
                    if len(piece) >= _READ_AT_ONCE_BYTES:
                        await asyncio.sleep(0)  # more may be decompressed without anything to wait for

    async def _context(self, identity: TlsIdentity, attempt: Attempt) -> ssl.SSLContext:
        """Raises ConnectorError."""
        kept = self._contexts.kept(identity)
        return kept if kept is not None else await attempt.in_thread(partial(self._contexts.make, identity))


def _headers(received: aiohttp.ClientResponse) -> list[Header]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in received.raw_headers]


def _body(request: Request, attempt: Attempt) -> AsyncIterator[bytes] | bytes | None:
    if request.file is not None:
        return _read_in_thread(request.file, attempt)
    content = request.body or None
    return content if content is None or len(content) <= _SENT_AT_ONCE_BYTES else _in_pieces(content)


async def _read_in_thread(body: StreamedBody, attempt: Attempt) -> AsyncIterator[bytes]:
    pieces = iter(body)
    while (piece := await attempt.in_thread(partial(next, pieces, None))) is not None:
        yield piece


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _SENT_AT_ONCE_BYTES):
        yield content[start : start + _SENT_AT_ONCE_BYTES]
