"""A receiver that takes every call and does not answer, on one thread however many there are."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain


class HangingReceiver:
    """`url`: what to call."""

    def __init__(self) -> None:
        self.calling = 0
        """Calls whose connection is open."""
        self.left = 0
        """Calls whose caller has closed the connection."""
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._take, "127.0.0.1", 0, backlog=8192))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calling += 1
        try:
            while await reader.read(4096):
                continue
            self.left += 1
        finally:
            self.calling -= 1
            writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        for call in asyncio.all_tasks(self._loop):
            call.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()


class HangingProcess:
    """The same in a process of its own, which keeps its memory and descriptors apart."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.services.hanging"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._line()

    def calling(self) -> int:
        """Calls whose connection is open."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def hanging_process() -> Iterator[HangingProcess]:
    receiver = HangingProcess()
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def hanging_receiver() -> Iterator[HangingReceiver]:
    receiver = HangingReceiver()
    try:
        yield receiver
    finally:
        receiver.close()


if __name__ == "__main__":
    served = HangingReceiver()
    for answer in chain([served.url], (served.calling for _ in sys.stdin)):
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
