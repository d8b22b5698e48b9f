"""An event loop in a thread of its own, on which connectors are run as an executor runs them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from flowforge.connectors.http_client.client import AsyncHttpClient
from flowforge.connectors.http_client.loop_transport import LoopTransport
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.transport import Attempt
from flowforge.connectors.sdk import StepContext
from flowforge.connectors.tools import make_loop_transport, on_loop
from flowforge.fair_shares import Holders
from flowforge.settings import Settings

T = TypeVar("T")


class StepLoop:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._transports: list[LoopTransport] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs it without waiting for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def moved(self, context: StepContext, settings: Settings) -> StepContext:
        """The context of a step that runs here. Its `http` does so, too: tests of the client need not know."""
        transport = make_loop_transport(settings, in_fair_thread)
        self._transports.append(transport)
        tools: Any = on_loop(context.tools, transport, settings)
        http = _HttpOnLoop(self, tools.async_http)
        return replace(context, tools=replace(tools, http=http), in_thread=_in_thread)

    def close(self) -> None:
        for transport in self._transports:
            self.run(transport.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _HttpOnLoop:
    """The client of coroutines, for whoever wants to wait in a thread."""

    def __init__(self, loop: StepLoop, client: AsyncHttpClient) -> None:
        self._loop = loop
        self.encode = client.encode
        self._client = client

    def send(self, attempt: Attempt, method: str, url: str, **parts: Any) -> Response:
        return self._loop.run(self._client.send(attempt, method, url, **parts))


async def in_fair_thread(_holders: Holders, work: Callable[[], T], /) -> T:
    return await asyncio.to_thread(work)


async def _in_thread(work: Callable[[], T], /, *, computes: bool = False, signs: bool = False) -> T:
    return await asyncio.to_thread(work)
