"""A client that many threads share, connected in a thread of its own: no caller waits for an attempt without end.

The first caller starts the attempt, and all callers meanwhile wait for that one, for as long as they have patience.
Once it is known that the server is away no caller waits: it is tried again after a pause, until it answers.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from flowforge.errors import Unavailable

PAUSE_SECONDS = 3.0
"""The pause between an attempt that failed and the next."""

Client = TypeVar("Client")


class Link(Generic[Client]):
    """`connect` makes a client or raises one of `failures`; `close` ends one."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Client],
        close: Callable[[Client], object],
        failures: tuple[type[Exception], ...],
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._name = name
        self._connect = connect
        self._close = close
        self._failures = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._attempt: Future[Client] | None = None
        self._down = False
        self._not_before = 0.0

    def get(self, patience: float) -> Client:
        """The client. Raises Unavailable: after `patience` seconds, or at once while the server is down."""
        with self._lock:
            if self._client is not None:
                return self._client
            if self._attempt is None and time.monotonic() >= self._not_before:
                self._attempt = Future()
                threading.Thread(target=self._try, args=(self._attempt,), name=self._name, daemon=True).start()
            attempt = self._attempt
            if attempt is None or self._down:
                raise Unavailable(f"{self._name} does not answer, and is tried again in a moment")
        try:
            return attempt.result(patience)
        except TimeoutError as error:
            self._stop_waiting(attempt)
            raise Unavailable(f"{self._name} has not answered yet") from error
        except self._failures as error:
            raise Unavailable(f"{self._name} does not answer: {type(error).__name__}") from error

    def report_loss(self, client: Client) -> None:
        """Notes that this client's server has gone: until it answers again, no caller waits for it."""
        with self._lock:
            if client is not self._client:
                return
            self._client, self._down = None, True
            self._not_before = time.monotonic() + self._pause
        threading.Thread(target=self._end, args=(client,), name=f"{self._name}, ending", daemon=True).start()

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            self._end(client)

    def _stop_waiting(self, attempt: Future[Client]) -> None:
        """Lets no other caller wait for the rest of this attempt: one has waited in vain."""
        with self._lock:
            if self._attempt is attempt:
                self._down = True

    def _try(self, attempt: Future[Client]) -> None:
        try:
            client = self._connect()
        except Exception as error:  # noqa: BLE001  (whatever it is, it is raised for those who wait)
            with self._lock:
                self._attempt, self._down = None, True
                self._not_before = time.monotonic() + self._pause
            attempt.set_exception(error)
        else:
            with self._lock:
                self._client, self._attempt, self._down = client, None, False
            attempt.set_result(client)

    def _end(self, client: Client) -> None:
        with contextlib.suppress(*self._failures):
            self._close(client)
