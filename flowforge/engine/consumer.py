"""What a consumer of the topics is: the orchestrator, the executor, the log sink. `workers.runner` drives it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from sqlalchemy import Connection

from flowforge.bus import Delivery
from flowforge.engine.completion import PostCommit
from flowforge.events import TopicMessage


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery and what it says."""

    delivery: Delivery
    message: TopicMessage


class Consumer(Protocol):
    """What the runner drives. All methods are called from the runner's thread."""

    @property
    def name(self) -> str: ...

    @property
    def topics(self) -> Sequence[str]: ...

    @property
    def group(self) -> str: ...

    @property
    def patience(self) -> float:
        """Seconds it can wait for the next message before `tick` is due."""

    @property
    def pace(self) -> float:
        """Seconds from one batch to the next, at least, while it keeps up: what comes meanwhile is taken together. The
        first message after a pause never waits. 0: whatever has come is taken at once."""

    def room(self) -> int:
        """How many messages it can take now; 0 lets the runner wait for a moment."""

    def handle(self, received: Sequence[Received]) -> None:
        """Returns when the work is safe. Raises Unavailable to get the same messages again."""

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """`handle` raised that error for this message alone, which is buried in the same transaction: ends what would
        be owed and sent again for ever. Returns what is to be published and answered after the commit; places that
        were freed the consumer gives away itself, at its next `tick`."""

    def tick(self) -> None:
        """Called between batches, at least once a second: what time brings. Raises Unavailable."""

    def stop(self) -> None:
        """No more messages come; finish what was begun, within a few seconds."""


def member_name(consumer: str) -> str:
    """Unique among the living members of a group, and readable for people."""
    return f"{consumer}.{socket.gethostname()}.{os.getpid()}.{uuid4().hex[:6]}"
