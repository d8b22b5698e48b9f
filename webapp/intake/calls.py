"""Rate limits of webhooks and their accounts: a bucket for each, in the web process, so that no call costs a round
trip."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from uuid import UUID

from flask import Flask, current_app
from limits import parse
from werkzeug.exceptions import TooManyRequests

from flowforge.settings import Settings

_EXTENSION = "flowforge.webhook_calls"
_OFF = "off"
_TIMES = 3
"""Calls that an account may get for each that one of its webhooks may."""
_REMEMBERED = 10_000
"""Buckets; when there are more, those that are full again are forgotten."""


class Calls:
    """Rate limit: at most `most` calls under one key at once, and as many in `seconds` in the long run."""

    def __init__(self, most: float, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._rate = most / seconds
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float]] = {}
        """The remaining level of each bucket, and the time at which it was measured."""
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> float:
        """Seconds until the next call is allowed; 0: now."""
        return max(0.0, (1 - self._level(key)) / self._rate)

    def count(self, key: Hashable) -> None:
        with self._lock:
            self._levels[key] = self._level(key) - 1, self._clock()
            if len(self._levels) > _REMEMBERED:
                self._levels = {each: left for each, left in self._levels.items() if self._level(each) < self._most}

    def _level(self, key: Hashable) -> float:
        left, then = self._levels.get(key, (self._most, 0.0))
        return min(self._most, left + (self._clock() - then) * self._rate)


class CallRates:
    """Limits of calls to one webhook, and to all webhooks of one account together."""

    def __init__(self, most: float, seconds: float) -> None:
        self._calls = Calls(most, seconds)
        self._calls_of_accounts = Calls(most * _TIMES, seconds)
        self._accounts: dict[str, UUID] = {}
        """The accounts of tokens that have been called: nobody looks one up to refuse a call."""

    def wait(self, token: str) -> float:
        """Seconds until the next call is allowed; 0: now."""
        account = self._accounts.get(token)
        wait = self._calls.wait(token)
        return wait if account is None else max(wait, self._calls_of_accounts.wait(account))

    def count(self, token: str, account: UUID) -> None:
        if len(self._accounts) >= _REMEMBERED:
            self._accounts.clear()
        self._accounts[token] = account
        self._calls.count(token)
        self._calls_of_accounts.count(account)


def install(app: Flask, settings: Settings) -> None:
    """Raises ValueError for a limit that is none, such as `often`."""
    if settings.webhook_rate_limit.strip().lower() != _OFF:
        limit = parse(settings.webhook_rate_limit)
        app.extensions[_EXTENSION] = CallRates(limit.amount, limit.get_expiry())


def refuse_too_many(token: str) -> None:
    """Raises TooManyRequests, with the time to wait. An unknown token has no bucket, and is not refused."""
    calls = _calls()
    wait = calls.wait(token) if calls else 0
    if wait > 0:
        raise TooManyRequests(
            "this webhook, or the account that it belongs to, is called too often", retry_after=max(1, round(wait))
        )


def count(token: str, account: UUID) -> None:
    """A call that a webhook of that account has taken."""
    calls = _calls()
    if calls:
        calls.count(token, account)


def _calls() -> CallRates | None:
    found: CallRates | None = current_app.extensions.get(_EXTENSION)
    return found
