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

_NO_EXECUTION = UUID(int=0)
"""An id whose channel is always subscribed to: a subscription without any channel has no connection to wait on."""
_RECONNECT_SECONDS = 1.0
_CONFIRMED_WITHIN_SECONDS = 2.0
_POLL_SECONDS = 5.0


class RedisSubscriber:
    """Belongs to the event loop.

    `on_message` gets every announcement of a watched execution. `on_subscribed` is called each time the subscription to
    an execution begins, also after a lost connection: what was announced before may have been missed.
    """

    def __init__(
        self, url: str, on_message: Callable[[UUID, bytes], None], on_subscribed: Callable[[UUID], None]
    ) -> None:
        self._url = url
        self._on_message = on_message
        self._on_subscribed = on_subscribed
        self._confirmed: dict[bytes, tuple[UUID, asyncio.Event]] = {}
        self._subscription: PubSub | None = None

    async def run(self) -> None:
        """Receive until cancelled; reconnect when Redis is away."""
        while True:
            try:
                async with self._connect() as subscription:
                    while True:
                        await self._receive(subscription)
            except (RedisError, OSError) as error:
                logger.warning("live views look into the store, since Redis is away: %s", error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def subscribe(self, execution_id: UUID) -> None:
        """Return when announcements will be received, or Redis is away."""
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

    async def unsubscribe(self, execution_id: UUID) -> None:
        name = channel(execution_id).encode()
        self._confirmed.pop(name, None)
        await self._send("unsubscribe", name)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[PubSub]:
        async with (
            Redis.from_url(self._url, socket_connect_timeout=5, health_check_interval=30) as redis,
            redis.pubsub() as subscription,
        ):
            await subscription.subscribe(channel(_NO_EXECUTION))
            self._subscription = subscription  # from here on, `subscribe` sends its command itself
            try:
                if self._confirmed:
                    await subscription.subscribe(*self._confirmed)
                yield subscription
            finally:
                self._subscription = None

    async def _send(self, command: str, name: bytes) -> None:
        """Send a subscription command. If it fails, `run` finds the connection broken as well, and subscribes anew to
        everything."""
        if self._subscription is None:
            return
        try:
            await getattr(self._subscription, command)(name)
        except (RedisError, OSError) as error:
            logger.warning("cannot %s to announcements: %s", command, error)

    async def _receive(self, subscription: PubSub) -> None:
        message = await subscription.get_message(timeout=_POLL_SECONDS)
        watched = self._confirmed.get(message["channel"]) if message else None
        if message is None or watched is None:
            return
        execution_id, confirmed = watched
        if message["type"] == "subscribe":
            confirmed.set()
            self._on_subscribed(execution_id)
        elif message["type"] == "message":
            self._on_message(execution_id, message["data"])
