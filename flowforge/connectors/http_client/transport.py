"""How requests get to their receivers: the part of the HTTP client that waits.

There are two. Plain functions wait in their thread (`blocking_transport`); coroutines share an event loop, where
nothing may block (`loop_transport`). What a request is, and what is made of its answer, is the same for both
(`client`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar
from uuid import UUID

from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.in_thread import InThread
from flowforge.connectors.memory import Memory

CONNECT_SECONDS = 10.0
T = TypeVar("T")


class Attempt(Protocol):
    """The part of a step's context that requests need."""

    @property
    def deadline(self) -> float:
        """The latest end, as a time of `time.monotonic`."""

    @property
    def idempotency_key(self) -> str: ...

    @property
    def user_id(self) -> UUID | None:
        """The account that it is made for, if any."""

    @property
    def in_thread(self) -> InThread:
        """Where to do what blocks. Asked only on an event loop."""

    @property
    def memory(self) -> Memory:
        """Counts what answers take."""


class Transport(Protocol):
    async def exchange(self, attempt: Attempt, request: Request, identity: TlsIdentity, answer: IncomingAnswer) -> None:
        """Sends the request, and hands in the answer, before the attempt's deadline. Raises ConnectorError."""

    async def do(self, attempt: Attempt, work: Callable[[], T], *, computes: bool = False, signs: bool = False) -> T:
        """Does what may block, or computes for long. See InThread."""

    async def sleep(self, seconds: float) -> None: ...
