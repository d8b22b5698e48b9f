"""One Redis subscription per web process, fanned out to its viewers."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from flowforge.errors import Unavailable
from flowforge.live import PATTERN, channel
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_RECONNECT_SECONDS = 1.0
_lock = threading.Lock()


class Viewer:
    """Is told that something happened; what it was, the store says. One pending hint is as good as many."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._hints: queue.Queue[None] = queue.Queue(maxsize=1)

    def hint(self) -> None:
        try:
            self._hints.put_nowait(None)
        except queue.Full:
            return  # it has one to take already

    def next(self, timeout: float) -> None:
        """Raises queue.Empty when nothing happens for `timeout` seconds."""
        self._hints.get(timeout=timeout)


class FanOut:
    """Safe between threads. `limit` bounds the viewers of this process: each one holds a thread."""

    def __init__(self, backends: Backends, limit: int) -> None:
        self._backends = backends
        self._limit = limit
        self._viewers: dict[str, set[Viewer]] = {}
        self._changed = threading.Lock()
        threading.Thread(target=self._listen, name="live", daemon=True).start()

    def watch(self, execution_id: UUID) -> Viewer:
        """Raises Unavailable when there are too many already."""
        viewer = Viewer(channel(execution_id))
        with self._changed:
            if sum(map(len, self._viewers.values())) >= self._limit:
                raise Unavailable("too many people are watching; try again in a moment")
            self._viewers.setdefault(viewer.name, set()).add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        with self._changed:
            watching = self._viewers.get(viewer.name, set())
            watching.discard(viewer)
            if not watching:
                self._viewers.pop(viewer.name, None)

    def _listen(self) -> None:
        while True:
            try:
                with self._backends.redis.pubsub(  # type: ignore[no-untyped-call]
                    ignore_subscribe_messages=True
                ) as subscription:
                    subscription.psubscribe(PATTERN)
                    while True:
                        message = subscription.get_message(timeout=5.0)
                        if message is not None:
                            self._tell(message["channel"].decode())
            except (RedisError, OSError, ValueError) as error:
                logger.warning("live views fall back to looking every few seconds: %s", error)
                threading.Event().wait(_RECONNECT_SECONDS)

    def _tell(self, name: str) -> None:
        with self._changed:
            for viewer in self._viewers.get(name, ()):
                viewer.hint()


def fan_out(extensions: dict[str, Any], backends: Backends) -> FanOut:
    """The process's own, made when the first viewer comes: a forked server must not share it."""
    with _lock:
        found = extensions.get("flowforge.live")
        if not isinstance(found, FanOut):
            found = extensions["flowforge.live"] = FanOut(backends, max(1, backends.settings.web_threads * 3 // 4))
        return found
