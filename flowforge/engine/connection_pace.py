"""The pace of a connection across all executors: its own limits in Valkey, the pauses that receivers ask for in
PostgreSQL, where they come with the connection.

A request whose turn is far off makes room for others. Its place is kept until it comes again: it is known by its
Idempotency-Key. Where Valkey is away or emptied, nothing is held up.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from flowforge.connectors.http_client.pace import StepDeferred
from flowforge.connectors.sdk import ConnectorError
from flowforge.db.credentials_store import CredentialsStore

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
"""A turn that comes so soon is awaited by the step."""
_LONGEST_LOOK_SECONDS = 30.0

_TAKE_TURN = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local between, most, call, life = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local kept = KEYS[1] .. ':turn:' .. call
if between > 0 then
    local turn = tonumber(redis.call('HGET', kept, 'at'))
    if not turn then
        turn = math.max(now, tonumber(redis.call('GET', KEYS[1] .. ':next') or '0'))
        local life = math.ceil(turn - now + between) + 1
        redis.call('SET', KEYS[1] .. ':next', string.format('%.6f', turn + between), 'EX', life)
        redis.call('HSET', kept, 'at', string.format('%.6f', turn))
        redis.call('EXPIRE', kept, math.ceil(turn - now) + 600)
    end
    if turn > now then return {tostring(turn - now), 'rate'} end
end
if most > 0 then
    local running = KEYS[1] .. ':running'
    redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
    if redis.call('ZCARD', running) >= most then
        local looks = redis.call('HINCRBY', kept, 'looks', 1)
        redis.call('EXPIRE', kept, 600)
        return {tostring(0.25 * 2 ^ math.min(looks, 10)), 'room'}
    end
    redis.call('ZADD', running, now + life, call)
    redis.call('EXPIRE', running, math.ceil(life) + 1)
end
redis.call('DEL', kept)
return {'0', ''}
"""


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """`per_second` and `at_once`: 0 for no limit."""

    per_second: float = 0.0
    at_once: int = 0

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Self:
        """The limits of a saved connection."""
        return cls(saved.get("requestsPerSecond") or 0.0, saved.get("concurrentRequests") or 0)

    @property
    def any(self) -> bool:
        return self.per_second > 0 or self.at_once > 0


def _spread(seconds: float) -> float:
    """A time to look again, so that those who wait for room do not all look at once."""
    return min(seconds, _LONGEST_LOOK_SECONDS) * random.uniform(0.5, 1)  # noqa: S311


@dataclass(slots=True)
class ConnectionPace:
    """The pace of one attempt's requests by a connection. `may_defer`: whether the step can be run again later."""

    connection_id: UUID
    name: str
    limits: PaceLimits
    redis: Redis
    store: CredentialsStore
    paused_until: datetime | None
    may_defer: bool
    begun: set[str] = field(default_factory=set)
    """Calls of which something was sent: they are not begun again."""

    @property
    def asks_for_turns(self) -> bool:
        """See Pace."""
        return self.limits.any

    def take_turn(self, call: str, deadline: float) -> float:
        """See Pace."""
        seconds, reason = self._pause_left(), "its receiver asks to be left alone for a while"
        if seconds <= 0 and self.limits.any:
            seconds, reason = self._take(call, deadline), "its limit of requests"
        if seconds <= 0:
            self.begun.add(call)
            return 0.0
        self._require_patience(seconds, call, deadline, reason)
        return seconds

    def end_turn(self, call: str) -> None:
        """See Pace."""
        if self.limits.at_once:
            try:
                self.redis.zrem(f"{self._key}:running", call)
            except RedisError as error:
                log.warning("a place of a connection is free only when its time is over: %s", error)

    def pause(self, seconds: float) -> None:
        """See Pace. Raises Unavailable."""
        self.paused_until = datetime.now(UTC) + timedelta(seconds=seconds)
        self.store.pause(self.connection_id, self.paused_until)

    def _require_patience(self, seconds: float, call: str, deadline: float, reason: str) -> None:
        """Raises StepDeferred and ConnectorError for a turn that is too far off."""
        why = f"the connection '{self.name}' has to wait: {reason}"
        if seconds > PATIENCE_SECONDS and self.may_defer and call not in self.begun:
            raise StepDeferred(seconds, why)
        if time.monotonic() + seconds > deadline:
            raise ConnectorError(why, permanent=False, retry_after=seconds)

    def _pause_left(self) -> float:
        return 0.0 if self.paused_until is None else (self.paused_until - datetime.now(UTC)).total_seconds()

    def _take(self, call: str, deadline: float) -> float:
        """Seconds until the call's turn; 0 where it is now, and taken."""
        between = 1 / self.limits.per_second if self.limits.per_second else 0.0
        life = max(1.0, deadline - time.monotonic())
        try:
            wait, kind = self.redis.eval(_TAKE_TURN, 1, self._key, between, self.limits.at_once, call, life)
        except RedisError as error:
            log.warning("the limits of connections are not held: %s", error)
            return 0.0
        return _spread(float(wait)) if kind == b"room" else float(wait)

    @property
    def _key(self) -> str:
        return f"pace:{{{self.connection_id}}}"
