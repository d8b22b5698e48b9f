"""One Redis subscription for all viewers of a process: the channels of the executions that are watched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from flowforge.live import channel

logger = logging.getLogger(__name__)

_NOBODY = UUID(int=0)
"""Its channel is always listened to: a subscription without any has no connection to wait on."""
_AGAIN_SECONDS = 1.0
_CONFIRMED_WITHIN_SECONDS = 2.0
_ROUND_SECONDS = 5.0


class RedisSubscriber:
    """Belongs to the event loop. `heard` gets every announcement of a watched execution; `listens` is called when one
    begins to be listened to, or does so again: what was announced before may have been missed."""

    def __init__(self, url: str, heard: Callable[[UUID, bytes], None], listens: Callable[[UUID], None]) -> None:
        self._url = url
        self._heard = heard
        self._listens = listens
        self._confirmed: dict[bytes, tuple[UUID, asyncio.Event]] = {}
        self._subscription: PubSub | None = None

    async def listen(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                async with self._subscribed() as subscription:
                    while True:
                        await self._hear(subscription)
            except (RedisError, OSError) as error:
                logger.warning("live views look into the store, since Redis is away: %s", error)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def add(self, execution_id: UUID) -> None:
        """Returns when its announcements will be heard, or Redis is away."""
        name = channel(execution_id).encode()
        if name not in self._confirmed:
            self._confirmed[name] = execution_id, asyncio.Event()
            await self._send("subscribe", name)
        _, confirmed = self._confirmed[name]
        try:
            async with asyncio.timeout(_CONFIRMED_WITHIN_SECONDS):
                await confirmed.wait()
        except TimeoutError:
            logger.info("Redis has not confirmed a subscription; the store is looked into until it does")

    async def drop(self, execution_id: UUID) -> None:
        name = channel(execution_id).encode()
        self._confirmed.pop(name, None)
        await self._send("unsubscribe", name)

    @asynccontextmanager
    async def _subscribed(self) -> AsyncIterator[PubSub]:
        async with (
            Redis.from_url(self._url, socket_connect_timeout=5, health_check_interval=30) as redis,
            redis.pubsub() as subscription,
        ):
            await subscription.subscribe(channel(_NOBODY))
            self._subscription = subscription  # from here on, what is added subscribes itself
            try:
                if self._confirmed:
                    await subscription.subscribe(*self._confirmed)
                yield subscription
            finally:
                self._subscription = None

    async def _send(self, command: str, name: bytes) -> None:
        """Where it fails, the listener finds the connection broken, too, and subscribes anew to everything."""
        if self._subscription is None:
            return
        try:
            await getattr(self._subscription, command)(name)
        except (RedisError, OSError) as error:
            logger.warning("cannot %s to announcements: %s", command, error)

    async def _hear(self, subscription: PubSub) -> None:
        message = await subscription.get_message(timeout=_ROUND_SECONDS)
        watched = self._confirmed.get(message["channel"]) if message else None
        if message is None or watched is None:
            return
        execution_id, confirmed = watched
        if message["type"] == "subscribe":
            confirmed.set()
            self._listens(execution_id)
        elif message["type"] == "message":
            self._heard(execution_id, message["data"])
