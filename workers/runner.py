"""The loop of every consumer: poll, bury what cannot be read, handle, acknowledge.

A consumer's `handle` returns when the database has the work; only then is the batch acknowledged. When a server it
needs is away, the same batch is tried again until it is back. A message that makes `handle` fail by itself goes to the
dead letters and the partition goes on. Batches are bounded by what they take in memory, not by their number alone.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import traceback
from collections.abc import Sequence

from flowforge import events
from flowforge.bus import Delivery, Message, Subscription
from flowforge.db.engine import Connection, savepoint, transaction
from flowforge.engine import answers
from flowforge.engine.batches import bounded_batches
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Consumer, Received
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.events import DEAD_LETTERS, TopicMessage, UnreadableMessage
from flowforge.executions.dead_letters import bury
from flowforge.ids import member_name
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_TRIES_OF_A_SLOW_MESSAGE = 3


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
        except (Unavailable, TooMuchAtOnce) as error:
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
        received = filter(None, map(self._read, deliveries))
        for batch in bounded_batches(received, loaded=self._consumer.loads_references):
            self._handle(batch)

    def _handle(self, received: Sequence[Received]) -> None:
        """Returns when it is done. A batch that fails for what it holds, or is too much at once, is halved until the
        message is found that does not pass."""
        error = self._try(received)
        if error is None:
            return
        if len(received) == 1:
            reason = "".join(traceback.format_exception(error, limit=-3))
            self._bury(received[0].delivery, reason, received[0].message, error)
            return
        self._note_halving(len(received), error)
        middle = len(received) // 2
        self._handle(received[:middle])
        self._handle(received[middle:])

    def _note_halving(self, number: int, error: Exception) -> None:
        if isinstance(error, TooMuchAtOnce):
            logger.warning("%s: halving a batch of %d: %s", self._consumer.name, number, error)
        else:
            logger.error("%s: a batch of %d failed; halving it", self._consumer.name, number, exc_info=error)

    def _try(self, received: Sequence[Received]) -> Exception | None:
        """Waits while a server is away. Returns the error for which the batch does not pass, if it does not; a single
        message that took too long is tried again first, since something else may have been in its way."""
        for tries in itertools.count(1):
            try:
                self._consumer.handle(received)
                return None
            except Unavailable as error:
                if self._stopping.is_set():
                    raise
                self._wait_out(error)
            except TooMuchAtOnce as error:
                if len(received) > 1 or tries >= _TRIES_OF_A_SLOW_MESSAGE:
                    return error
                self._wait_out(error)
            except Exception as error:  # noqa: BLE001  (whatever it is, the message does not pass)
                return error
        raise AssertionError("it is tried until it is done")

    def _read(self, delivery: Delivery) -> Received | None:
        try:
            return Received(delivery, events.decode(delivery.topic, delivery.value))
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
            except (Unavailable, TooMuchAtOnce) as passing:
                if self._stopping.is_set():
                    raise
                self._wait_out(passing)
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
        except (Unavailable, TooMuchAtOnce):
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

    def _wait_out(self, error: Unavailable | TooMuchAtOnce) -> None:
        logger.warning("%s: %s; trying again in %.1f s", self._consumer.name, error, self._pause)
        self._stopping.wait(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
