"""The pace of a connection: how many of its requests go out, and when. Whoever signs a request asks for its turn."""

from __future__ import annotations

from typing import Protocol


class StepDeferred(Exception):
    """The step makes room for others, and is run again after so many seconds, as the same attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Pace(Protocol):
    @property
    def asks_for_turns(self) -> bool:
        """Whether `take_turn` and `end_turn` ask a server."""

    def take_turn(self, call: str, deadline: float) -> float:
        """Seconds after which to ask again; 0 where it is the call's turn now, which lasts until `end_turn`.

        `call`: its Idempotency-Key; `deadline`: by time.monotonic. Raises StepDeferred where the turn is far off and
        nothing of the call was sent yet, and ConnectorError where it is later than the deadline.
        """

    def end_turn(self, call: str) -> None:
        """The request is over."""

    def pause(self, seconds: float) -> None:
        """Sees to it that the receiver is left alone for so long, as it has asked. May ask a server."""


class NoPace:
    """As fast as anybody likes."""

    asks_for_turns = False

    def take_turn(self, call: str, deadline: float) -> float:
        return 0.0

    def end_turn(self, call: str) -> None:
        """Ends nothing."""

    def pause(self, seconds: float) -> None:
        """Holds nobody up."""
