"""The loop of every consumer: poll, bury what cannot be read, handle, acknowledge.

A consumer's `handle` returns when the database has the work; only then is the batch acknowledged. When a server it
needs is away, the same batch is tried again until it is back. A message that makes `handle` fail by itself goes to the
dead letters and the partition goes on.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Sequence

from flowforge.bus import Delivery, Message, Subscription
from flowforge.db.engine import Connection, savepoint, transaction
from flowforge.engine import answers
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Consumer, Received, member_name
from flowforge.errors import Unavailable
from flowforge.events import DEAD_LETTERS, MESSAGE_TYPES, TopicMessage, UnreadableMessage
from flowforge.executions.dead_letters import bury
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


class Runner:
    """Drives one consumer until `stopping` is set."""

    def __init__(self, backends: Backends, consumer: Consumer, stopping: threading.Event) -> None:
        self._backends = backends
        self._consumer = consumer
        self._stopping = stopping
        self._pause = _FIRST_PAUSE_SECONDS

    def run(self) -> None:
        subscription = self._subscribe()
        try:
            while subscription is not None and not self._stopping.is_set():
                self._poll_once(subscription)
        finally:
            self._consumer.stop()
            if subscription is not None:
                self._leave(subscription)

    def _subscribe(self) -> Subscription | None:
        member = member_name(self._consumer.name)
        while not self._stopping.is_set():
            try:
                return self._backends.bus.subscribe(self._consumer.topics, self._consumer.group, member)
            except Unavailable as error:
                self._wait_out(error)
        return None

    def _poll_once(self, subscription: Subscription) -> None:
        try:
            self._consumer.tick()
            limit = self._consumer.room()
            if limit <= 0:
                self._stopping.wait(0.02)
                return
            deliveries = subscription.poll(limit, self._consumer.patience)
        except Unavailable as error:
            self._wait_out(error)
            return
        if deliveries:
            begun = time.monotonic()
            self._process(deliveries)
            self._acknowledge(subscription, deliveries)
            if len(deliveries) < limit:
                self._stopping.wait(begun + self._consumer.pace - time.monotonic())
        self._pause = _FIRST_PAUSE_SECONDS

    def _process(self, deliveries: Sequence[Delivery]) -> None:
        readable = [received for delivery in deliveries if (received := self._read(delivery)) is not None]
        if readable:
            self._handle(readable)

    def _handle(self, received: Sequence[Received]) -> None:
        """Returns when it is done. A batch that fails for what it holds is handled one by one, to find the message that
        does not pass."""
        while True:
            try:
                self._consumer.handle(received)
                return
            except Unavailable as error:
                if self._stopping.is_set():
                    raise
                self._wait_out(error)
            except Exception as error:
                if len(received) == 1:
                    self._bury(received[0].delivery, traceback.format_exc(limit=-3), received[0].message, error)
                    return
                logger.exception("%s: a batch of %d failed; trying one by one", self._consumer.name, len(received))
                for delivered in received:
                    self._handle([delivered])
                return

    def _read(self, delivery: Delivery) -> Received | None:
        try:
            return Received(delivery, MESSAGE_TYPES[delivery.topic].decode(delivery.value))
        except UnreadableMessage as error:
            self._bury(delivery, str(error))
        except Exception:  # noqa: BLE001  (whatever it is, the message cannot be read)
            self._bury(delivery, traceback.format_exc(limit=-3))
        return None

    def _bury(
        self, delivery: Delivery, reason: str, message: TopicMessage | None = None, error: Exception | None = None
    ) -> None:
        """Returns when PostgreSQL has it: only then it is acknowledged. What the message is about ends with the same
        commit."""
        logger.error("%s: dead letter from %s: %s", self._consumer.name, delivery.topic, reason)
        while True:
            try:
                with transaction(self._backends.engine) as connection:
                    bury(connection, delivery, self._consumer.group, reason)
                    post_commit = self._give_up(connection, message, error)
                break
            except Unavailable as unavailable:
                if self._stopping.is_set():
                    raise
                self._wait_out(unavailable)
        try:
            self._backends.bus.publish([Message(DEAD_LETTERS, delivery.key, delivery.value), *post_commit.messages])
        except Exception:
            logger.exception("a dead letter is in PostgreSQL but could not be put on %s", DEAD_LETTERS)
        answers.notify(self._backends.redis, post_commit.answered)

    def _give_up(self, connection: Connection, message: TopicMessage | None, error: Exception | None) -> PostCommit:
        """Ends what the message is about. Whatever goes wrong in that, it is buried and the partition goes on."""
        if message is None or error is None:
            return PostCommit()
        try:
            with savepoint(connection):
                return self._consumer.give_up(connection, message, error)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%s: what a dead letter is about was not ended", self._consumer.name)
            return PostCommit()

    def _acknowledge(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> None:
        try:
            subscription.ack(deliveries)
        except Unavailable as error:
            # They will come again, and change nothing.
            self._wait_out(error)

    def _leave(self, subscription: Subscription) -> None:
        try:
            subscription.close()
        except Unavailable as error:
            logger.warning("%s: did not leave its group: %s", self._consumer.name, error)

    def _wait_out(self, error: Unavailable) -> None:
        logger.warning("%s: %s; trying again in %.1f s", self._consumer.name, error, self._pause)
        self._stopping.wait(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
