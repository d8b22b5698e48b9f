"""The interface of a consumer of the topics: orchestrator, executor, log sink. `workers.runner` drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flowforge.bus import Delivery
from flowforge.db.engine import Connection
from flowforge.engine.completion import PostCommit
from flowforge.events import TopicMessage


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery, and the message in it."""

    delivery: Delivery
    message: TopicMessage

    def size(self, *, loaded: bool) -> int:
        """Bytes of JSON that handling it takes: its own and, where they are loaded, those that it refers to."""
        return len(self.delivery.value) + (self.message.referenced_size if loaded else 0)


class Consumer(Protocol):
    """All methods are called from the runner's thread."""

    @property
    def name(self) -> str: ...

    @property
    def topics(self) -> Sequence[str]: ...

    @property
    def group(self) -> str: ...

    @property
    def loads_references(self) -> bool:
        """Whether it loads what messages refer to for their size: then fewer of these are handled at once."""

    @property
    def patience(self) -> float:
        """Seconds it can wait for the next message before `tick` is due."""

    @property
    def pace(self) -> float:
        """Least seconds from one batch to the next while it keeps up: what comes meanwhile is taken together. The first
        message after a pause never waits. 0: whatever has come is taken at once."""

    def room(self) -> int:
        """Returns how many messages it can take now; 0 lets the runner wait for a moment."""

    def handle(self, received: Sequence[Received]) -> None:
        """Returns when the work is safe. Raises Unavailable to get the same messages again."""

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """Ends what the message is about, or it would be redelivered for ever: `handle` raised that error for it alone,
        and it is buried in the same transaction. The runner publishes and answers what is returned; the consumer gives
        away the freed slots itself, at its next `tick`."""

    def tick(self) -> None:
        """Does what is due by time. Called between batches, at least once a second. Raises Unavailable."""

    def stop(self) -> None:
        """Finishes what was begun, within a few seconds; no more messages come."""
