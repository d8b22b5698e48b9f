"""Limit on attempts to sign in or register from one address: counted in Redis; in memory while Redis is away."""

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

from flowforge.wiring import Backends

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)


class Attempts:
    """Counts attempts for all web processes together."""

    def __init__(self, limit: str, backends: Backends) -> None:
        """Raises ValueError for a limit that is none, such as `often`."""
        self._limit = parse(limit)
        pool: Any = backends.redis.connection_pool
        self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="flowforge"))
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> None:
        """Count an attempt. Raises TooManyRequests, which says when to try again."""
        try:
            wait = _seconds_to_wait(self._shared, self._limit, address)
        except RedisError as error:
            log.warning("attempts to sign in are counted in memory, since Redis is away: %s", error)
            wait = _seconds_to_wait(self._own, self._limit, address)
        if wait:
            raise TooManyRequests("too many attempts; please wait a moment", retry_after=wait)


def install(app: Flask, backends: Backends) -> None:
    app.extensions["attempts"] = Attempts(backends.settings.auth_rate_limit, backends)


def counts_as_attempt(view: Callable[P, R]) -> Callable[P, R]:
    """Let the calls of a view use up AUTH_RATE_LIMIT, which all such views share; beyond it the answer is 429."""

    @wraps(view)
    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        attempts: Attempts = current_app.extensions["attempts"]
        attempts.count(request.remote_addr or "")
        return view(*args, **kwargs)

    return counted


def _seconds_to_wait(limiter: FixedWindowRateLimiter, limit: RateLimitItem, address: str) -> int:
    if limiter.hit(limit, "attempts", address):
        return 0
    return max(1, round(limiter.get_window_stats(limit, "attempts", address).reset_time - time.time()))
