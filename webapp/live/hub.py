"""All viewers of one web process: one thread, one event loop, one Redis subscription, however many they are."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import ExecutionRow
from flowforge.errors import Unavailable
from flowforge.execution.state import Status
from flowforge.logbook import LogEntry, LogStore
from flowforge.logbook.cursor import Place
from flowforge.wiring import Backends
from webapp.live.lines import announced_line
from webapp.live.redis_subscriber import RedisSubscriber
from webapp.live.stream import PAGE, Asked, Inbox, Stream

T = TypeVar("T")

logger = logging.getLogger(__name__)

_READERS = 4
"""Threads that ask the store; each holds a database connection while it does."""
_CHECK_SECONDS = 2.0
_STALLED_SECONDS = 30.0
"""A viewer whose connection takes nothing for so long is let go; it may come back and go on."""
_STOP_SECONDS = 5.0


class Hub:
    """Safe between threads. `ended` is called when a stream has ended, in the hub's thread."""

    def __init__(self, backends: Backends, ended: Callable[[], None]) -> None:
        self._backends = backends
        self._ended = ended
        self._viewers: dict[UUID, set[Inbox]] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._ear = RedisSubscriber(str(backends.settings.redis_url), self._heard, self._look_again)
        self._readers = ThreadPoolExecutor(_READERS, "live-reader")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def serve(self, asked: Asked, connection: socket.socket, *, chunked: bool) -> None:
        """Sends the stream to the connection and closes it. Returns at once."""
        self._loop.call_soon_threadsafe(self._begin, asked, connection, chunked)

    def close(self) -> None:
        """Lets every viewer go."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._readers.shutdown()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        own = [self._loop.create_task(self._ear.listen()), self._loop.create_task(self._check_statuses())]
        try:
            self._loop.run_forever()
        finally:
            ending = [*own, *self._serving]
            for task in ending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*ending, return_exceptions=True))
            self._loop.close()

    def _begin(self, asked: Asked, connection: socket.socket, chunked: bool) -> None:
        task = self._loop.create_task(self._serve(asked, connection, chunked))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, asked: Asked, connection: socket.socket, chunked: bool) -> None:
        connection.setblocking(False)
        try:
            reader, writer = await asyncio.open_connection(sock=connection)
            try:
                async with self._watching(asked) as inbox:
                    log = _Log(self._readers, self._backends.logbook, asked)
                    stream = Stream(asked, inbox, log, partial(_send, writer, chunked))
                    await _first_of(stream.run(), _gone(reader))
                if chunked:
                    writer.write(b"0\r\n\r\n")
            finally:
                writer.close()
        except (OSError, TimeoutError) as error:
            logger.debug("a viewer has gone: %s", error)
        except Exception:
            logger.exception("a live stream broke off")
        finally:
            self._ended()

    @asynccontextmanager
    async def _watching(self, asked: Asked) -> AsyncIterator[Inbox]:
        inbox = Inbox(asked.status)
        together = self._viewers.setdefault(asked.execution_id, set())
        together.add(inbox)
        try:
            if not inbox.over:
                await self._ear.add(asked.execution_id)
            yield inbox
        finally:
            together.discard(inbox)
            if not together:
                self._viewers.pop(asked.execution_id, None)
                await self._ear.drop(asked.execution_id)

    def _heard(self, execution_id: UUID, announcement: bytes) -> None:
        try:
            line = announced_line(announcement)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("an announcement on a channel of ours cannot be read: %s", error)
            return
        for inbox in self._viewers.get(execution_id, ()):
            inbox.tell(line)

    def _look_again(self, execution_id: UUID) -> None:
        for inbox in self._viewers.get(execution_id, ()):
            inbox.tell_to_look()

    async def _check_statuses(self) -> None:
        """For all watched executions together, in case the line that tells has been lost or comes late."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            watched = [id_ for id_, inboxes in self._viewers.items() if not all(inbox.over for inbox in inboxes)]
            if not watched:
                continue
            try:
                found = await self._loop.run_in_executor(self._readers, self._statuses, watched)
            except Unavailable as error:
                logger.warning("the statuses of watched executions are not known: %s", error)
                continue
            for execution_id in watched:
                for inbox in self._viewers.get(execution_id, ()):
                    inbox.tell_status(found.get(execution_id))

    def _statuses(self, execution_ids: list[UUID]) -> dict[UUID, Status]:
        asked = select(ExecutionRow.id, ExecutionRow.status).where(ExecutionRow.id.in_(execution_ids))
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            return {id_: Status(status) for id_, status in connection.execute(asked)}


class _Log:
    """See webapp.live.stream.Store. What is asked of the store is asked in another thread."""

    def __init__(self, readers: Executor, logbook: LogStore, asked: Asked) -> None:
        self._readers = readers
        self._logbook = logbook
        self._whose = asked.user_id, asked.execution_id

    async def read(self, after: str | None) -> list[LogEntry]:
        return await self._ask(self._logbook.follow, after)

    async def places(self, after: str | None) -> list[Place]:
        return await self._ask(self._logbook.places, after)

    async def _ask(self, method: Callable[[UUID, UUID, str | None, int], list[T]], after: str | None) -> list[T]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, method, *self._whose, after, PAGE)


async def _send(writer: asyncio.StreamWriter, chunked: bool, data: bytes) -> None:
    writer.write(b"%X\r\n%b\r\n" % (len(data), data) if chunked else data)
    if not writer.transport.get_write_buffer_size():
        return  # the connection has taken all of it
    async with asyncio.timeout(_STALLED_SECONDS):
        await writer.drain()


async def _gone(reader: asyncio.StreamReader) -> None:
    """Until the other side closes the connection; it has nothing more to say."""
    while await reader.read(4096):
        continue


async def _first_of(*ways: object) -> None:
    """Until the first of these ends; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(way) for way in ways]  # type: ignore[call-overload]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
