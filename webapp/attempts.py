"""Limit on attempts to sign in or register from one address, and from one network: counted in Redis; in memory while
Redis is away. Guesses at one account have a limit of their own (webapp.guarded)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError
from werkzeug.exceptions import TooManyRequests

from flowforge.accounts.guesses import network_of
from flowforge.wiring import Backends

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

_NETWORK_FACTOR = 5
"""So many times the limit of an address may come from its whole network."""


class Attempts:
    """Counts attempts for all web processes together."""

    def __init__(self, limit: str, backends: Backends) -> None:
        """Raises ValueError for a limit that is none, such as `often`."""
        self._limit = parse(limit)
        self._network_limit = type(self._limit)(self._limit.amount * _NETWORK_FACTOR, self._limit.multiples)
        self._warn_of_proxy = not backends.settings.trusted_proxies
        pool: Any = backends.redis.connection_pool
        self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="flowforge"))
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count an attempt. Raises TooManyRequests, which says when to try again."""
        for limit, sender in ((self._limit, address), (self._network_limit, network_of(address))):
            if wait := self._seconds_to_wait(limit, sender):
                raise TooManyRequests("too many attempts; please wait a moment", retry_after=wait)

    def note_proxy(self, address: str) -> None:
        """Log, once, that a proxy stands in front that is not known: all its visitors are counted as one address."""
        if self._warn_of_proxy:
            self._warn_of_proxy = False
            log.warning(
                "a request from %s names another sender (X-Forwarded-For), and TRUSTED_PROXIES is 0: if that is your"
                " proxy, set TRUSTED_PROXIES=1, or all visitors share the limits of its address",
                address,
            )

    def _seconds_to_wait(self, limit: RateLimitItem, sender: str) -> int:
        try:
            return _seconds_to_wait(self._shared, limit, sender)
        except RedisError as error:
            log.warning("attempts to sign in are counted in memory, since Redis is away: %s", error)
            return _seconds_to_wait(self._own, limit, sender)


def install(app: Flask, backends: Backends) -> None:
    app.extensions["attempts"] = Attempts(backends.settings.auth_rate_limit, backends)


def counts_as_attempt(view: Callable[P, R]) -> Callable[P, R]:
    """Let the calls of a view use up AUTH_RATE_LIMIT, which all such views share; beyond it the answer is 429."""

    @wraps(view)
    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        attempts: Attempts = current_app.extensions["attempts"]
        sender = request.remote_addr or ""
        if "X-Forwarded-For" in request.headers:
            attempts.note_proxy(sender)
        attempts.count(sender)
        return view(*args, **kwargs)

    return counted


def _seconds_to_wait(limiter: FixedWindowRateLimiter, limit: RateLimitItem, sender: str) -> int:
    if limiter.hit(limit, "attempts", sender):
        return 0
    return max(1, round(limiter.get_window_stats(limit, "attempts", sender).reset_time - time.time()))
