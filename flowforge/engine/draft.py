"""The draft of a step that runs: its end is announced to the live views, while somebody watches the execution."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from flowforge import jsonio
from flowforge.events import ExecutionStart
from flowforge.live import channel, draft_json, watched
from flowforge.secrets import begun_secret, mask_text

logger = logging.getLogger(__name__)

MOST_SHOWN = 4_000
"""Characters, from the end."""
_EVERY_SECONDS = 0.25
_AFTER_AN_ERROR_SECONDS = 10.0


@dataclass(slots=True)
class AnnouncedDraft:
    """`secrets`: texts that are masked. Nothing is kept: what nobody sees at the time is never seen."""

    redis: Redis
    start: ExecutionStart
    secrets: Sequence[str]
    _shown: str = ""
    _pending: str = ""
    _next_at: float = 0.0

    def add(self, text: str) -> None:
        self._pending += text
        now = time.monotonic()
        if now < self._next_at:
            return
        self._settle()
        self._next_at = now + (_EVERY_SECONDS if self._announce() else _AFTER_AN_ERROR_SECONDS)

    def _settle(self) -> None:
        """Takes over what is pending, up to where a secret may have begun."""
        masked = mask_text(self._pending, self.secrets)
        end = len(masked) - begun_secret(masked, self.secrets)
        self._shown, self._pending = (self._shown + masked[:end])[-MOST_SHOWN:], masked[end:]

    def _announce(self) -> bool:
        """Whether Redis could be asked."""
        try:
            if watched(self.redis, [self.start.execution_id]):
                name = channel(self.start.execution_id)
                self.redis.publish(name, draft_json(self.start, jsonio.writable(self._shown)))
        except (RedisError, OSError) as error:
            logger.info("what a step writes is not shown, since Redis is away: %s", error)
            return False
        return True
