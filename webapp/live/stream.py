"""One viewer's stream: first what is stored behind `Last-Event-ID`, then what happens, to the end.

The subscription begins before the first read, so that nothing falls between the two; a line that comes twice is dropped
by its position in the log. Announcements may get lost, and two log sinks may date lines in another order than they
write them. So now and then the store is asked for the positions of its lines, from a little before the last check, and
read again if one of them has not been sent.
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
from flowforge.logbook.cursor import Position, cursor_at, parse_cursor
from webapp.live.events import Draft, Line, SentPositions, end_event, status_event, stored_line

T = TypeVar("T")

HEARTBEAT = b": still here\n\n"
PAGE = 500
_INBOX_LINES = 256
_INBOX_DRAFTS = 16
_OVERLAP = timedelta(seconds=5)
_UNDER_WAY = timedelta(seconds=2)
"""Longest delay of a line's announcement."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Waiting times of a stream, in seconds."""

    heartbeat: float = 10.0
    """Silence before a comment shows that the connection is alive."""
    check: float = 30.0
    """Interval of the checks for lines whose announcement was lost."""
    store_retry: float = 2.0
    last_lines: float = 3.0
    """Longest delay of the terminal log line after the terminal state."""
    stragglers: float = 0.2
    """Longest delay of another line after the terminal one: they travel over different topics."""


TIMING = Timing()


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A viewer's request, and the execution's status when it came."""

    user_id: UUID
    execution_id: UUID
    after: str | None
    status: Status
    settled: bool
    """The execution ended so long ago that no line of it can be under way."""
    epoch: int | None = 0
    """The epoch of the viewer's credentials: the stream ends with it."""
    credential: UUID | None = None
    """The viewer's session or personal access token: the stream ends with it, too."""


class Inbox:
    """Updates to be sent to one viewer. Belongs to the event loop."""

    def __init__(self, status: Status | None, epoch: int | None = 0, credential: UUID | None = None) -> None:
        self.status = status
        """None: the execution has been deleted."""
        self.epoch = epoch
        self.credential = credential
        self._lines: deque[Line] = deque()
        self._drafts: dict[tuple[int, int, int], Draft] = {}
        self._news = asyncio.Event()
        self._incomplete = False
        self._refused = asyncio.Event()

    @property
    def over(self) -> bool:
        return self.status is None or self.status.terminal

    def add(self, news: Line | Draft) -> None:
        if isinstance(news, Draft):
            self._show(news)
        else:
            self._add_line(news)
        self._news.set()

    def _show(self, draft: Draft) -> None:
        """Let the draft take the place of an earlier one of its step; of too many steps at once, not all are shown."""
        if draft.step in self._drafts or len(self._drafts) < _INBOX_DRAFTS:
            self._drafts[draft.step] = draft

    def _add_line(self, line: Line) -> None:
        """Add a line; if the viewer reads more slowly than lines come, drop it: the viewer has to read the store."""
        if len(self._lines) < _INBOX_LINES:
            self._lines.append(line)
        else:
            self._incomplete = True

    def set_status(self, status: Status | None) -> None:
        """Change the status, unless it is terminal already."""
        if not self.over and status != self.status:
            self.status = status
            self._news.set()

    def mark_incomplete(self) -> None:
        """Note that lines may have been missed."""
        self._incomplete = True
        self._news.set()

    def refuse(self) -> None:
        """Let the viewer see no more."""
        self._refused.set()

    async def wait_for_refusal(self) -> None:
        await self._refused.wait()

    async def wait(self, seconds: float) -> bool:
        """Wait until something new comes; False when the time is over."""
        if self._news.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> list[Line] | None:
        """Remove and return the lines; None if some are missing and the store has to be read."""
        self._news.clear()
        lines = None if self._incomplete else list(self._lines)
        self._incomplete = False
        self._lines.clear()
        return lines

    def take_drafts(self) -> list[Draft]:
        """Remove and return the drafts."""
        drafts = list(self._drafts.values())
        self._drafts.clear()
        return drafts


class Store(Protocol):
    """The log of the stream's execution. Both methods raise Unavailable."""

    async def read(self, after: str | None) -> list[LogEntry]:
        """The entries behind a cursor, PAGE at most."""

    async def positions(self, after: str | None) -> list[Position]:
        """The positions of those entries."""


class Stream:
    """Sends what one viewer is to see; `send` returns when there is room for more."""

    def __init__(
        self,
        request: StreamRequest,
        inbox: Inbox,
        store: Store,
        send: Callable[[bytes], Awaitable[None]],
        timing: Timing = TIMING,
    ) -> None:
        self._request = request
        self._inbox = inbox
        self._store = store
        self._send = send
        self._timing = timing
        self._position = parse_cursor(request.after) if request.after else None
        self._sent = SentPositions(self._position)
        self._checked_up_to = request.after
        self._next_check_at = 0.0
        self._sent_status: Status | None = None
        self._sent_end_line = False

    async def run(self) -> None:
        """Return when the execution is over and everything about it has been sent."""
        await self._read_store()
        while not self._inbox.over:
            await self._send_status()
            await self._follow()
        if not self._request.settled:
            await self._send_last_lines()
        await self._send_status()
        await self._send(end_event(self._inbox.status))

    async def _follow(self) -> None:
        if not await self._inbox.wait(self._timing.heartbeat):
            await self._send(HEARTBEAT)
        lines = self._inbox.take()
        if lines is not None:
            await self._send_lines(lines)
        if lines is None or (_now() > self._next_check_at and await self._lacks_lines()):
            await self._read_store()
        for draft in self._inbox.take_drafts():
            await self._send(draft.event)

    async def _lacks_lines(self) -> bool:
        """Whether a line has been stored for a while without being sent."""
        positions = await self._retry(self._store.positions, self._checked_up_to)
        under_way = datetime.now(UTC) - _UNDER_WAY
        if len(positions) == PAGE or not all(at in self._sent or at[0] > under_way for at in positions):
            return True
        self._note_check(positions[-1][0] if positions else None)
        return False

    async def _read_store(self) -> None:
        self._inbox.take()  # whatever has been announced so far is in the store
        last, full = self._checked_up_to, True
        while full:
            page = await self._retry(self._store.read, last)
            await self._send_lines([stored_line(entry) for entry in page])
            last, full = page[-1].cursor if page else last, len(page) == PAGE
            self._note_check(page[-1].timestamp if page else None)

    def _note_check(self, up_to: datetime | None) -> None:
        """Remember up to when the log has been compared; None: there was nothing behind the last check."""
        if up_to is not None:
            self._checked_up_to = cursor_at(up_to - _OVERLAP)
        spread = random.uniform(0.5, 1)  # noqa: S311  viewers who came together part
        self._next_check_at = _now() + self._timing.check * spread

    async def _retry(self, read: Callable[[str | None], Awaitable[list[T]]], after: str | None) -> list[T]:
        """Read from the store, again and again while it is unavailable."""
        while True:
            try:
                return await read(after)
            except Unavailable:
                await self._send(HEARTBEAT)
                await asyncio.sleep(self._timing.store_retry)

    async def _send_lines(self, lines: list[Line]) -> None:
        events = b"".join(map(self._event_of, lines))
        if events:
            await self._send(events)

    def _event_of(self, line: Line) -> bytes:
        """Return the line's event and note that it is sent; empty if it has been sent before."""
        if line.position in self._sent:
            return b""
        self._sent.add(line.position)
        if line.status is not None:
            self._inbox.set_status(line.status)
            self._sent_end_line = self._sent_end_line or line.status.terminal
        if self._position is not None and line.position < self._position:
            return line.late_event
        self._position = line.position
        return line.event

    async def _send_last_lines(self) -> None:
        deadline = _now() + self._timing.last_lines
        while not self._sent_end_line and _now() < deadline:
            await self._inbox.wait(self._timing.stragglers)
            await self._read_store()
        await asyncio.sleep(self._timing.stragglers)
        await self._read_store()

    async def _send_status(self) -> None:
        status = self._inbox.status
        if status is not None and status != self._sent_status:
            self._sent_status = status
            await self._send(status_event(status))


def _now() -> float:
    return asyncio.get_running_loop().time()
