"""Rate limit of one webhook: a bucket for each, in the web process, so that no call costs a round trip."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flask import Flask, current_app
from limits import parse
from werkzeug.exceptions import TooManyRequests

from flowforge.settings import Settings

_EXTENSION = "flowforge.webhook_calls"
_OFF = "off"
_REMEMBERED = 10_000
"""Buckets; when there are more, those that are full again are forgotten."""


class Calls:
    """Rate limit: at most `most` calls of one token at once, and as many in `seconds` in the long run."""

    def __init__(self, most: float, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._rate = most / seconds
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        """The remaining level of each bucket, and the time at which it was measured."""
        self._lock = threading.Lock()

    def wait(self, token: str) -> float:
        """Seconds until the next call is allowed; 0: now."""
        return max(0.0, (1 - self._level(token)) / self._rate)

    def count(self, token: str) -> None:
        with self._lock:
            self._levels[token] = self._level(token) - 1, self._clock()
            if len(self._levels) > _REMEMBERED:
                self._levels = {each: left for each, left in self._levels.items() if self._level(each) < self._most}

    def _level(self, token: str) -> float:
        left, then = self._levels.get(token, (self._most, 0.0))
        return min(self._most, left + (self._clock() - then) * self._rate)


def install(app: Flask, settings: Settings) -> None:
    """Raises ValueError for a limit that is none, such as `often`."""
    if settings.webhook_rate_limit.strip().lower() != _OFF:
        limit = parse(settings.webhook_rate_limit)
        app.extensions[_EXTENSION] = Calls(limit.amount, limit.get_expiry())


def refuse_too_many(token: str) -> None:
    """Raises TooManyRequests, with the time to wait. An unknown token has no bucket, and is not refused."""
    calls = _calls()
    wait = calls.wait(token) if calls else 0
    if wait > 0:
        raise TooManyRequests("this webhook is called too often", retry_after=max(1, round(wait)))


def count(token: str) -> None:
    """A call that its webhook has taken."""
    calls = _calls()
    if calls:
        calls.count(token)


def _calls() -> Calls | None:
    found: Calls | None = current_app.extensions.get(_EXTENSION)
    return found
