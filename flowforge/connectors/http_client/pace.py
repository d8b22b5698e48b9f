"""The pace of a connection: how many of its requests go out, and when. Whoever signs a request asks for its turn."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from flowforge.connectors.http_client.response import Response


class StepDeferred(Exception):
    """The step gives its thread back, and is run again after so many seconds, as the same attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Pace(Protocol):
    def turn(self, call: str, deadline: float) -> AbstractContextManager[None]:
        """Lasts as long as the request. `call`: its Idempotency-Key; `deadline`: by time.monotonic. Raises StepDeferred
        where the turn is later and nothing of the call was sent yet, and ConnectorError where it is later than the
        deadline."""

    def note(self, response: Response) -> None:
        """Takes from an answer how long its receiver wants to be left alone."""


class NoPace:
    """As fast as anybody likes."""

    def turn(self, call: str, deadline: float) -> AbstractContextManager[None]:
        return nullcontext()

    def note(self, response: Response) -> None:
        """Takes nothing."""
