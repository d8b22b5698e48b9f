"""One viewer's stream, on its own: a log in memory, and announcements when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flowforge.errors import Unavailable
from flowforge.execution.state import Status
from flowforge.logbook import LogEntry
from flowforge.logbook.cursor import Position, parse_cursor
from webapp.live.events import Draft, Line, stored_line
from webapp.live.stream import HEARTBEAT, PAGE, TIMING, Inbox, Stream, StreamRequest, Timing

ANYONE = UUID(int=1)
CHECKS_OFTEN = Timing(heartbeat=0.01, check=0.01)
START = datetime(2026, 3, 4, tzinfo=UTC)


def entry(number: int, kind: str = "RESULT", status: str = "SUCCESS") -> LogEntry:
    moment = START + timedelta(milliseconds=number)
    return LogEntry(f"{number:024x}", ANYONE, ANYONE, ANYONE, None, kind, status, {}, moment)


END = entry(10_000, "EXECUTION", "COMPLETED")


class Log:
    """What is stored. `on_read` happens between the reading of a page and its arrival."""

    def __init__(self, *numbers: int) -> None:
        self.entries = [entry(number) for number in numbers]
        self.on_read: Callable[[], object] = lambda: None
        self.away = 0
        self.reads = 0
        self.checks = 0

    async def read(self, after: str | None) -> list[LogEntry]:
        self.reads += 1
        if self.away:
            self.away -= 1
            raise Unavailable("PostgreSQL does not answer")
        page = self._behind(after)
        self.on_read()
        await asyncio.sleep(0)
        return page

    async def positions(self, after: str | None) -> list[Position]:
        self.checks += 1
        return [(one.timestamp, one.id) for one in self._behind(after)]

    def _behind(self, after: str | None) -> list[LogEntry]:
        position = parse_cursor(after) if after else None
        behind = [one for one in self.entries if position is None or (one.timestamp, one.id) > position]
        return sorted(behind, key=lambda one: (one.timestamp, one.id))[:PAGE]

    def write(self, *numbers: int) -> list[Line]:
        written = [entry(number) for number in numbers]
        self.entries += written
        return list(map(stored_line, written))


class Viewer:
    """Collects what the stream sends."""

    def __init__(self, log: Log, after: str | None = None, *, timing: Timing = TIMING) -> None:
        self.inbox = Inbox(Status.RUNNING)
        self.sent = b""
        request = StreamRequest(ANYONE, ANYONE, after, Status.RUNNING, settled=False)
        self.stream = Stream(request, self.inbox, log, self._take, timing)

    async def _take(self, data: bytes) -> None:
        self.sent += data

    async def has(self, *cursors: str) -> None:
        async with asyncio.timeout(10):
            while self.cursors[-len(cursors) :] != list(cursors):
                await asyncio.sleep(0)

    @property
    def cursors(self) -> list[str]:
        """The `id:` of each event that has one."""
        return [line[4:] for line in self.sent.decode().splitlines() if line.startswith("id: ")]

    @property
    def lines(self) -> int:
        return self.sent.count(b"event: log\n")


def during(viewer: Viewer, happens: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """While the stream runs; after that the execution ends, and the stream with it."""

    async def both() -> None:
        streaming = asyncio.create_task(viewer.stream.run())
        await happens()
        viewer.inbox.add(stored_line(END))
        await asyncio.wait_for(streaming, 15)

    # In a thread of its own: Playwright, once started in a test process, keeps a loop running in the main thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, both()).result()


def cursor(number: int) -> str:
    return entry(number).cursor


def test_a_line_announced_during_the_replay_comes_once() -> None:
    log = Log(1)
    viewer = Viewer(log)

    def announce() -> None:
        log.on_read = lambda: None
        for line in log.write(2):
            viewer.inbox.add(line)

    log.on_read = announce
    during(viewer, lambda: viewer.has(cursor(1), cursor(2)))
    assert viewer.cursors == [cursor(1), cursor(2), END.cursor]


def test_a_line_that_is_announced_after_it_was_read_comes_once() -> None:
    log = Log(1, 2)
    viewer = Viewer(log)

    async def announce() -> None:
        await viewer.has(cursor(1), cursor(2))
        for late in log.entries:
            viewer.inbox.add(stored_line(late))

    during(viewer, announce)
    assert viewer.lines == 3


def test_a_line_that_another_writer_dated_earlier_still_comes_but_moves_nobody_back() -> None:
    log = Log(1, 5)
    viewer = Viewer(log)

    async def announce() -> None:
        await viewer.has(cursor(5))
        for line in log.write(3):
            viewer.inbox.add(line)

    during(viewer, announce)
    assert (viewer.cursors, viewer.lines) == ([cursor(1), cursor(5), END.cursor], 4)


def test_a_line_whose_announcement_was_lost_comes_with_the_next_check() -> None:
    log = Log(1)
    viewer = Viewer(log, timing=CHECKS_OFTEN)

    async def announce_one_of_two() -> None:
        await viewer.has(cursor(1))
        viewer.inbox.add(log.write(2, 3)[1])
        async with asyncio.timeout(10):
            while viewer.lines < 3:
                await asyncio.sleep(0.01)

    during(viewer, announce_one_of_two)
    assert viewer.cursors == [cursor(1), cursor(3), END.cursor]


def test_while_nothing_is_missing_no_line_is_read_again() -> None:
    log = Log(1)
    viewer = Viewer(log, timing=CHECKS_OFTEN)

    async def announce_all() -> None:
        await viewer.has(cursor(1))
        viewer.inbox.add(*log.write(2))
        async with asyncio.timeout(10):
            while log.checks < 3:
                await asyncio.sleep(0.01)
        assert log.reads == 1

    during(viewer, announce_all)
    assert viewer.cursors == [cursor(1), cursor(2), END.cursor]


def test_what_stands_before_the_last_event_does_not_come_again() -> None:
    log = Log(1, 2, 3)
    viewer = Viewer(log, after=cursor(2))

    async def announce() -> None:
        await viewer.has(cursor(3))
        viewer.inbox.add(stored_line(entry(1)))

    during(viewer, announce)
    assert (viewer.cursors, viewer.lines) == ([cursor(3), END.cursor], 2)


def test_a_viewer_that_is_told_more_than_it_can_hold_reads_the_store() -> None:
    log = Log()
    viewer = Viewer(log)

    async def announce() -> None:
        for line in log.write(*range(1, 601)):
            viewer.inbox.add(line)
        await viewer.has(cursor(600))

    during(viewer, announce)
    assert viewer.cursors == [*map(cursor, range(1, 601)), END.cursor]


def test_of_drafts_a_slow_viewer_gets_the_last_of_some_steps() -> None:
    log = Log()
    log.write(1)
    viewer = Viewer(log)

    async def announce() -> None:
        await viewer.has(cursor(1))
        for number in range(1_000):
            for step in range(100):
                viewer.inbox.add(Draft((step, 0, 1), b"%d" % number))

    during(viewer, announce)
    assert viewer.sent.count(b"event: draft") == 16
    assert viewer.sent.count(b"event: draft\ndata: 999\n\n") == 16


def test_more_than_a_page_is_read_page_by_page() -> None:
    log = Log(*range(1, 2 * PAGE + 2))
    viewer = Viewer(log)
    during(viewer, lambda: viewer.has(cursor(2 * PAGE + 1)))
    assert viewer.lines == 2 * PAGE + 2


def test_silence_is_broken_by_signs_of_life() -> None:
    viewer = Viewer(Log(), timing=Timing(heartbeat=0.01))

    async def silence() -> None:
        async with asyncio.timeout(10):
            while viewer.sent.count(HEARTBEAT) < 3:
                await asyncio.sleep(0)

    during(viewer, silence)


def test_a_store_that_is_away_is_waited_for() -> None:
    log = Log(1)
    log.away = 2
    viewer = Viewer(log, timing=Timing(store_retry=0.01))
    during(viewer, lambda: viewer.has(cursor(1)))
    assert viewer.sent.startswith(HEARTBEAT * 2)


def test_the_end_waits_for_the_last_lines() -> None:
    """The state may be known before the log sink has written what led to it."""
    log = Log(1)
    viewer = Viewer(log)

    async def over() -> None:
        await viewer.has(cursor(1))
        viewer.inbox.set_status(Status.COMPLETED)
        log.entries += [entry(2), END]

    during(viewer, over)
    assert viewer.lines == 3
    assert viewer.sent.endswith(b'event: end\ndata: {"status":"COMPLETED"}\n\n')


def test_terminal_is_terminal() -> None:
    inbox = Inbox(Status.CANCELLED)
    inbox.set_status(Status.RUNNING)
    assert inbox.status is Status.CANCELLED
