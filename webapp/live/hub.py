"""All viewers of one process: one thread, one event loop, one Redis subscription, however many they are."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flowforge.errors import Unavailable
from flowforge.executions.watching import Watched, look_at
from flowforge.logbook import LogEntry, LogStore
from flowforge.logbook.cursor import Position
from flowforge.wiring import Backends
from webapp.live.events import announced
from webapp.live.redis_subscriber import RedisSubscriber
from webapp.live.stream import PAGE, Inbox, Stream, StreamRequest

T = TypeVar("T")

logger = logging.getLogger(__name__)

_READERS = 4
"""Threads that read the store; each holds a database connection while it does."""
_CHECK_SECONDS = 2.0
_STALLED_SECONDS = 30.0
"""A viewer whose connection takes nothing for so long is disconnected; it may reconnect and go on."""
_STOP_SECONDS = 5.0


class Hub:
    """Serves streams in a thread of its own, which calls `on_end` with the viewer's account at the end of each. Safe
    between threads."""

    def __init__(self, backends: Backends, on_end: Callable[[UUID], None]) -> None:
        self._backends = backends
        self._on_end = on_end
        self._viewers: dict[UUID, set[Inbox]] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._subscriber = RedisSubscriber(str(backends.settings.redis_url), self._pass_on, self._mark_incomplete)
        self._readers = ThreadPoolExecutor(_READERS, "live-reader")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def serve(self, request: StreamRequest, connection: socket.socket, *, chunked: bool) -> None:
        """Send the stream to the connection and close it. Returns at once."""
        self._loop.call_soon_threadsafe(self._begin, request, connection, chunked)

    def close(self) -> None:
        """Disconnect every viewer, and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._readers.shutdown()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        own = [self._loop.create_task(self._subscriber.run()), self._loop.create_task(self._check_watched())]
        try:
            self._loop.run_forever()
        finally:
            ending = [*own, *self._serving]
            for task in ending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*ending, return_exceptions=True))
            self._loop.close()

    def _begin(self, request: StreamRequest, connection: socket.socket, chunked: bool) -> None:
        task = self._loop.create_task(self._serve(request, connection, chunked))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, request: StreamRequest, connection: socket.socket, chunked: bool) -> None:
        try:
            await self._stream(request, connection, chunked)
        except (OSError, TimeoutError) as error:
            logger.debug("a viewer has gone: %s", error)
        except Exception:
            logger.exception("a live stream broke off")
        finally:
            self._on_end(request.user_id)

    async def _stream(self, request: StreamRequest, connection: socket.socket, chunked: bool) -> None:
        connection.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            async with self._watching(request) as inbox:
                store = _LogReader(self._readers, self._backends.logbook, request)
                stream = Stream(request, inbox, store, partial(_send, writer, chunked))
                await _wait_for_first(stream.run(), _wait_for_close(reader), inbox.wait_for_refusal())
            if chunked:
                writer.write(b"0\r\n\r\n")
        finally:
            writer.close()

    @asynccontextmanager
    async def _watching(self, request: StreamRequest) -> AsyncIterator[Inbox]:
        inbox = Inbox(request.status, request.epoch, request.credential)
        inboxes = self._viewers.setdefault(request.execution_id, set())
        inboxes.add(inbox)
        try:
            if not inbox.over:
                await self._subscriber.subscribe(request.execution_id)
            yield inbox
        finally:
            inboxes.discard(inbox)
            if not inboxes:
                self._viewers.pop(request.execution_id, None)
                await self._subscriber.unsubscribe(request.execution_id)

    def _pass_on(self, execution_id: UUID, announcement: bytes) -> None:
        try:
            news = announced(announcement)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("an announcement on a channel of ours cannot be read: %s", error)
            return
        for inbox in self._viewers.get(execution_id, ()):
            inbox.add(news)

    def _mark_incomplete(self, execution_id: UUID) -> None:
        for inbox in self._viewers.get(execution_id, ()):
            inbox.mark_incomplete()

    async def _check_watched(self) -> None:
        """Look at all watched executions at once: their status, in case the line that carries one is lost or late, and
        whether the credentials of their viewers still count."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            if not self._viewers:
                continue
            try:
                found, ended = await self._loop.run_in_executor(
                    self._readers, look_at, self._backends.engine, list(self._viewers), self._credentials()
                )
            except Unavailable as error:
                logger.warning("the statuses of watched executions are not known: %s", error)
                continue
            for execution_id, inboxes in self._viewers.items():
                for inbox in inboxes if execution_id in found else ():
                    _tell(inbox, found[execution_id], ended)

    def _credentials(self) -> set[UUID]:
        inboxes = (inbox for watching in self._viewers.values() for inbox in watching)
        return {inbox.credential for inbox in inboxes if inbox.credential is not None}


def _tell(inbox: Inbox, watched: Watched, ended: Collection[UUID]) -> None:
    if watched.status is not None and (watched.epoch != inbox.epoch or inbox.credential in ended):
        inbox.refuse()
    inbox.set_status(watched.status)


class _LogReader:
    """The `Store` of one stream, read in other threads."""

    def __init__(self, readers: Executor, logbook: LogStore, request: StreamRequest) -> None:
        self._readers = readers
        self._logbook = logbook
        self._log = request.user_id, request.execution_id

    async def read(self, after: str | None) -> list[LogEntry]:
        return await self._call(self._logbook.follow, after)

    async def positions(self, after: str | None) -> list[Position]:
        return await self._call(self._logbook.positions, after)

    async def _call(self, method: Callable[[UUID, UUID, str | None, int], list[T]], after: str | None) -> list[T]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, method, *self._log, after, PAGE)


async def _send(writer: asyncio.StreamWriter, chunked: bool, data: bytes) -> None:
    writer.write(b"%X\r\n%b\r\n" % (len(data), data) if chunked else data)
    if not writer.transport.get_write_buffer_size():
        return  # the connection has taken all of it
    async with asyncio.timeout(_STALLED_SECONDS):
        await writer.drain()


async def _wait_for_close(reader: asyncio.StreamReader) -> None:
    """Return when the other side closes the connection; whatever it still sends is ignored."""
    while await reader.read(4096):
        continue


async def _wait_for_first(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Return when the first of these ends; cancel the others. Raises what it raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
