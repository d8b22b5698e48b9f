"""What one viewer is sent: first what is stored behind `Last-Event-ID`, then what happens, to the end.

Listening comes before reading, so nothing falls between the two; what comes twice is dropped by its place in the log.
Announcements may get lost, and two log sinks may date lines in another order than they write them. So now and then the
store is asked where lines stand, from a little before the last look, and read again if one of them has not been sent.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from flowforge.errors import Unavailable
from flowforge.execution.state import Status
from flowforge.logbook import LogEntry
from flowforge.logbook.cursor import Place, cursor_at, parse_cursor
from webapp.live.lines import Line, Recent, end_event, status_event, stored_line

T = TypeVar("T")

HEARTBEAT = b": still here\n\n"
HEARTBEAT_SECONDS = 10.0
LOOK_SECONDS = 30.0
"""How long a line may be missing whose announcement got lost."""
PAGE = 500
_INBOX_LINES = 256
_STORE_AWAY_SECONDS = 2.0
_OVERLAP = timedelta(seconds=5)
_UNDER_WAY = timedelta(seconds=2)
"""How long the announcement of a line may take."""
_LAST_LINES_SECONDS = 3.0
"""How long the terminal log line may come behind the terminal state."""
_LAST_LOOK_SECONDS = 0.2
"""How long another line may come behind the terminal one: they come over different topics."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a viewer asked for, and how the execution stood then."""

    user_id: UUID
    execution_id: UUID
    after: str | None
    status: Status
    settled: bool
    """Over for so long that no line of it can be under way."""


class Inbox:
    """What a viewer has been told and has not sent yet. Belongs to the event loop."""

    def __init__(self, status: Status | None) -> None:
        self.status = status
        """None: the execution has been deleted."""
        self._lines: deque[Line] = deque()
        self._news = asyncio.Event()
        self._missed = False

    @property
    def over(self) -> bool:
        return self.status is None or self.status.terminal

    def tell(self, line: Line) -> None:
        """A viewer that reads slower than lines come is sent to the store, so that none of them piles up here."""
        if len(self._lines) < _INBOX_LINES:
            self._lines.append(line)
        else:
            self._missed = True
        self._news.set()

    def tell_status(self, status: Status | None) -> None:
        """Terminal is terminal."""
        if not self.over and status != self.status:
            self.status = status
            self._news.set()

    def tell_to_look(self) -> None:
        """Something may have been missed."""
        self._missed = True
        self._news.set()

    async def news(self, seconds: float) -> bool:
        """Whether there are any within this time."""
        if self._news.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> list[Line] | None:
        """The lines; None when some are missing and the store has to be asked."""
        self._news.clear()
        lines = None if self._missed else list(self._lines)
        self._missed = False
        self._lines.clear()
        return lines


class Store(Protocol):
    """The log of the stream's execution. Both raise Unavailable."""

    async def read(self, after: str | None) -> list[LogEntry]:
        """The entries behind a cursor, PAGE at most."""

    async def places(self, after: str | None) -> list[Place]:
        """Where they stand."""


class Stream:
    """`send` returns when there is room for more."""

    def __init__(
        self,
        asked: Asked,
        inbox: Inbox,
        store: Store,
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._asked = asked
        self._inbox = inbox
        self._store = store
        self._send = send
        self._place = parse_cursor(asked.after) if asked.after else None
        self._sent = Recent(self._place)
        self._looked_up_to = asked.after
        self._look_again_at = 0.0
        self._told: Status | None = None
        self._seen_end = False

    async def run(self) -> None:
        """Until the execution is over and everything about it has been sent."""
        await self._look()
        while not self._inbox.over:
            await self._tell_status()
            await self._hear()
        if not self._asked.settled:
            await self._last_lines()
        await self._tell_status()
        await self._send(end_event(self._inbox.status))

    async def _hear(self) -> None:
        if not await self._inbox.news(HEARTBEAT_SECONDS):
            await self._send(HEARTBEAT)
        lines = self._inbox.take()
        if lines is not None:
            await self._pass_on(lines)
        if lines is None or (_now() > self._look_again_at and await self._misses_any()):
            await self._look()

    async def _misses_any(self) -> bool:
        """Whether a line is stored, and not just now, that has not been sent."""
        places = await self._answer(self._store.places, self._looked_up_to)
        under_way = datetime.now(UTC) - _UNDER_WAY
        if len(places) == PAGE or not all(place in self._sent or place[0] > under_way for place in places):
            return True
        self._looked(places[-1][0] if places else None)
        return False

    async def _look(self) -> None:
        self._inbox.take()  # whatever has been announced so far is in the store
        last, full = self._looked_up_to, True
        while full:
            page = await self._answer(self._store.read, last)
            await self._pass_on([stored_line(entry) for entry in page])
            last, full = page[-1].cursor if page else last, len(page) == PAGE
            self._looked(page[-1].timestamp if page else None)

    def _looked(self, up_to: datetime | None) -> None:
        """None: there was nothing behind the last look."""
        if up_to is not None:
            self._looked_up_to = cursor_at(up_to - _OVERLAP)
        self._look_again_at = _now() + LOOK_SECONDS * random.uniform(0.5, 1)  # noqa: S311  viewers who came together part

    async def _answer(self, ask: Callable[[str | None], Awaitable[list[T]]], after: str | None) -> list[T]:
        while True:
            try:
                return await ask(after)
            except Unavailable:
                await self._send(HEARTBEAT)
                await asyncio.sleep(_STORE_AWAY_SECONDS)

    async def _pass_on(self, lines: list[Line]) -> None:
        events = b"".join(map(self._unsent, lines))
        if events:
            await self._send(events)

    def _unsent(self, line: Line) -> bytes:
        """The line as an event; empty if it has been sent."""
        if line.place in self._sent:
            return b""
        self._sent.add(line.place)
        if line.status is not None:
            self._inbox.tell_status(line.status)
            self._seen_end = self._seen_end or line.status.terminal
        if self._place is not None and line.place < self._place:
            return line.late_event
        self._place = line.place
        return line.event

    async def _last_lines(self) -> None:
        deadline = _now() + _LAST_LINES_SECONDS
        while not self._seen_end and _now() < deadline:
            await self._inbox.news(_LAST_LOOK_SECONDS)
            await self._look()
        await asyncio.sleep(_LAST_LOOK_SECONDS)
        await self._look()

    async def _tell_status(self) -> None:
        status = self._inbox.status
        if status is not None and status != self._told:
            self._told = status
            await self._send(status_event(status))


def _now() -> float:
    return asyncio.get_running_loop().time()
