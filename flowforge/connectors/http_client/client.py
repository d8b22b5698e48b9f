"""The one HTTP client of all connectors: pooled, bounded in time, size and redirects, kept out of private networks.

`AsyncHttpClient` is all of it but the waiting, which its transport does. `HttpClient` is the same for plain functions.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack
from uuid import UUID

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.answer import BodyTaker, IncomingAnswer
from flowforge.connectors.http_client.call import REDIRECTS, Call, host_of
from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.pace import NoPace, Pace
from flowforge.connectors.http_client.parameters import Pair, pairs_of
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.signing import Signer
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.http_client.tls import PUBLIC
from flowforge.connectors.http_client.told_pauses import told_pause
from flowforge.connectors.http_client.transport import Attempt, Transport
from flowforge.connectors.in_thread import InThread, compute, do_here, is_small
from flowforge.connectors.memory import Memory, Uncounted

MAX_REDIRECTS = 5
Parameters = Mapping[str, Any] | Sequence[Pair]
_USER_AGENT = "FlowForge/0.1"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request that no step makes, such as one for a token: an attempt by itself."""

    deadline: float
    idempotency_key: str
    in_thread: InThread = do_here
    user_id: UUID | None = None
    memory: Memory = field(default_factory=Uncounted)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes."""

    request: int
    response: int


class RequestParts(TypedDict, total=False):
    """What a request may have beside its method and address."""

    headers: Mapping[str, str] | None
    params: Parameters
    """Of any values; `pairs_of` tells, and lets choose, how objects and lists are written."""
    json: Any
    data: bytes | str | Parameters | StreamedBody | None
    signed_by: Signer | None
    download: BodyTaker | None
    """Takes the bodies that it wants; the content of the response is empty then."""
    cookies: Cookies | None
    """They are sent, and take what is set, at each redirect."""
    redirects: int
    """How many are followed, MAX_REDIRECTS by default. With 0 a redirect is an answer like any other."""


class AsyncHttpClient:
    """Safe to share between whatever its transport may be shared between."""

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self._transport = transport
        self._limits = limits

    async def send(self, attempt: Attempt, method: str, url: str, **parts: Unpack[RequestParts]) -> Response:
        """One exchange, redirects followed, before the attempt's deadline. Blanks around the URL do not count.

        Raises ConnectorError for everything that keeps a whole answer from coming; a status is no error here.
        """
        call, download = await self._made(attempt, method, url, parts), parts.get("download")
        redirects = parts.get("redirects", MAX_REDIRECTS)
        del parts  # thousands of calls may wait
        for _ in range(redirects + 1):
            response = await self._paced(attempt, call, download)
            if response.status == 401 and await self._renew(attempt, call, response):
                response = await self._paced(attempt, call, download)
            target = response.headers.get("location")
            if response.status not in REDIRECTS or target is None or not redirects:
                return response
            call = call.redirected(response.status, target)
        raise ConnectorError(f"{host_of(call.url)} redirects more than {redirects} times", permanent=True)

    def encode(self, value: Any) -> bytes:
        """Encode the value as JSON. Raises ConnectorError where it is larger than a request may be."""
        try:
            # A copy: orjson's own takes 4 KB, however small it is, and is held as long as the call waits.
            return bytes(memoryview(jsonio.dumps_within(value, self._limits.request)))
        except jsonio.TooLarge as error:
            raise ConnectorError(f"the request body has {error}", permanent=True) from error
        except TypeError as error:
            raise ConnectorError("the request body is nested too deeply to be sent as JSON", permanent=True) from error

    async def _made(self, attempt: Attempt, method: str, url: str, parts: RequestParts) -> Call:
        """The call, made at once where it is small."""
        small = is_small((url, parts.get("headers"), parts.get("params"), parts.get("json"), parts.get("data")))
        make = partial(self._call, attempt, method, url, parts, is_large=not small)
        return make() if small else await self._transport.do(attempt, make, computes=True)

    def _call(self, attempt: Attempt, method: str, url: str, parts: RequestParts, *, is_large: bool) -> Call:
        data, json = parts.get("data"), parts.get("json")
        own = {
            "User-Agent": _USER_AGENT,
            "Accept-Encoding": "identity",
            "Idempotency-Key": attempt.idempotency_key,
        }
        if json is not None:
            data = self.encode(json)
            own["Content-Type"] = "application/json"
        if isinstance(data, StreamedBody):
            own["Content-Type"] = data.type
        headers, params = {**own, **(parts.get("headers") or {})}, _listed(parts.get("params", ()))
        body, signer = _listed(data) if isinstance(data, Mapping) else data, parts.get("signed_by")
        return Call(method, url.strip(), headers, params, body, signer, parts.get("cookies"), is_large)

    async def _renew(self, attempt: Attempt, call: Call, refusal: Response) -> bool:
        """Whether the call is worth a second try: it was refused, and its signature can be renewed."""
        signer = call.signed_by
        return signer is not None and await self._transport.do(attempt, partial(signer.renew, refusal), signs=True)

    def _paced(self, attempt: Attempt, call: Call, download: BodyTaker | None) -> Coroutine[Any, Any, Response]:
        """The answer, once it is the turn of the call."""
        pace = None if call.signed_by is None else call.signed_by.pace
        if pace is None or isinstance(pace, NoPace):
            return self._exchange(attempt, call, download)
        return self._in_turn(attempt, pace, call, download)

    async def _in_turn(self, attempt: Attempt, pace: Pace, call: Call, download: BodyTaker | None) -> Response:
        async with self._turn(attempt, pace):
            response = await self._exchange(attempt, call, download)
        if (seconds := told_pause(response)) is not None:
            await self._transport.do(attempt, partial(pace.pause, seconds))
        return response

    @asynccontextmanager
    async def _turn(self, attempt: Attempt, pace: Pace) -> AsyncIterator[None]:
        key = attempt.idempotency_key
        take = partial(pace.take_turn, key, attempt.deadline)
        while (seconds := await self._do(attempt, take, may_block=pace.asks_for_turns)) > 0:
            await self._transport.sleep(seconds)
        try:
            yield
        finally:
            await self._do(attempt, partial(pace.end_turn, key), may_block=pace.asks_for_turns)

    async def _do(self, attempt: Attempt, work: Callable[[], T], *, may_block: bool) -> T:
        return await self._transport.do(attempt, work) if may_block else work()

    async def _exchange(self, attempt: Attempt, call: Call, download: BodyTaker | None) -> Response:
        request = await self._prepared(attempt, call) if call.takes_time else call.prepared()
        if download is not None:
            download.close()  # of an answer that is left for this one: a redirect, a refusal
        self._require_size(request)
        if attempt.deadline <= time.monotonic():
            raise ConnectorError(f"no time was left to call {host_of(call.url)}", permanent=False)
        answer = IncomingAnswer(host_of(call.url), self._limits.response, download, attempt.memory)
        identity = call.signed_by.identity if call.signed_by else PUBLIC
        await self._transport.exchange(attempt, request, identity, answer)
        response = await compute(answer.whole, answer.pieces, partial(self._transport.do, attempt))
        if call.cookies is not None:
            call.cookies.take(request, response.values_of("set-cookie"))
        return response

    def _prepared(self, attempt: Attempt, call: Call) -> Awaitable[Request]:
        """The request, made in a thread."""
        signs = call.signed_by is not None and not call.signed_by.signs_at_once
        return self._transport.do(attempt, call.prepared, computes=not signs, signs=signs)

    def _require_size(self, request: Request) -> None:
        """Raises ConnectorError for a body that is too large. Files have a limit of their own."""
        size, limit = len(request.body), self._limits.request
        if size > limit:
            raise ConnectorError(f"the request body has {size} bytes; the limit is {limit}", permanent=True)


class HttpClient:
    """The client of plain functions: it waits in the thread that calls it. Safe to share between threads. `waiting`:
    one whose transport blocks."""

    def __init__(self, waiting: AsyncHttpClient) -> None:
        self._waiting = waiting

    def send(self, attempt: Attempt, method: str, url: str, **parts: Unpack[RequestParts]) -> Response:
        """See AsyncHttpClient."""
        return _run(self._waiting.send(attempt, method, url, **parts))

    def encode(self, value: Any) -> bytes:
        """See AsyncHttpClient."""
        return self._waiting.encode(value)


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a transport that blocks has waited for an event loop")


def _listed(parameters: Parameters) -> Sequence[Pair]:
    return pairs_of(parameters) if isinstance(parameters, Mapping) else parameters
