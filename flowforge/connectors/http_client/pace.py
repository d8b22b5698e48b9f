"""The pace of a connection: how many of its requests go out, and when. Whoever signs a request asks for its turn."""

from __future__ import annotations

from typing import Protocol

from flowforge.connectors.http_client.response import Response


class StepDeferred(Exception):
    """The step makes room for others, and is run again after so many seconds, as the same attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Pace(Protocol):
    @property
    def may_block(self) -> bool:
        """Whether its methods ask a server."""

    def take_turn(self, call: str, deadline: float) -> float:
        """Seconds after which to ask again; 0 where it is the call's turn now, which lasts until `end_turn`.

        `call`: its Idempotency-Key; `deadline`: by time.monotonic. Raises StepDeferred where the turn is far off and
        nothing of the call was sent yet, and ConnectorError where it is later than the deadline.
        """

    def end_turn(self, call: str) -> None:
        """The request is over."""

    def note(self, response: Response) -> None:
        """Takes from an answer how long its receiver wants to be left alone."""


class NoPace:
    """As fast as anybody likes."""

    may_block = False

    def take_turn(self, call: str, deadline: float) -> float:
        return 0.0

    def end_turn(self, call: str) -> None:
        """Ends nothing."""

    def note(self, response: Response) -> None:
        """Takes nothing."""
