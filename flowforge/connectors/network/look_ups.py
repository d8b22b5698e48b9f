"""Names of hosts that coroutines have looked up, in threads of their own: a name server that hangs holds up no more
than the calls to its names."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from flowforge.connectors.network.addresses import Addresses, AddressGuard, LookUp
from flowforge.fair_shares import Holders

T = TypeVar("T")
_KNOWN_SECONDS = 5.0
_MOST_KNOWN = 1_000


class InFairThread(Protocol):
    """Does something that blocks, in one of a number of threads that its holders share fairly with others."""

    def __call__(self, holders: Holders, work: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it is looked up: by the rules of a guard."""

    guard: AddressGuard
    host: str
    port: int


@dataclass(slots=True)
class _UnderWay:
    task: asyncio.Future[Addresses]
    awaited_by: int = 0


@dataclass(frozen=True, slots=True)
class LookUps:
    """Belongs to one event loop.

    Threads are shared fairly by hosts and accounts, and an account's look-ups of one name are made as one. What a guard
    has allowed is known for a few seconds: the very address is connected to, so nothing can be changed between.
    """

    in_fair_thread: InFairThread
    _known: OrderedDict[_Name, tuple[float, Addresses]] = field(default_factory=OrderedDict)
    """With the time (of time.monotonic) at which they are looked up again; the oldest stands first."""
    _under_way: dict[tuple[UUID | None, _Name], _UnderWay] = field(default_factory=dict)

    def of(self, user_id: UUID | None) -> LookUp:
        """The look-ups of an account."""
        return partial(self._look_up, user_id)

    async def _look_up(self, user_id: UUID | None, guard: AddressGuard, host: str, port: int) -> Addresses:
        if _is_address(host):
            return guard.resolve(host, port)
        name = _Name(guard, host, port)
        until, addresses = self._known.get(name, (0.0, []))
        return addresses if until > time.monotonic() else await self._shared(user_id, name)

    async def _shared(self, user_id: UUID | None, name: _Name) -> Addresses:
        key = user_id, name
        if key not in self._under_way:
            self._under_way[key] = _UnderWay(asyncio.ensure_future(self._ask(user_id, name)))
        under_way = self._under_way[key]
        under_way.awaited_by += 1
        try:
            return await asyncio.shield(under_way.task)
        finally:
            under_way.awaited_by -= 1
            if not under_way.awaited_by:
                under_way.task.cancel()
                del self._under_way[key]

    async def _ask(self, user_id: UUID | None, name: _Name) -> Addresses:
        resolve = partial(name.guard.resolve, name.host, name.port)
        addresses = await self.in_fair_thread((name.host, user_id), resolve)
        self._known[name] = time.monotonic() + _KNOWN_SECONDS, addresses
        self._known.move_to_end(name)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
