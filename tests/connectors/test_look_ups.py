"""Names that coroutines look up: a name server that hangs holds up those who call its names, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Coroutine
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest

from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.look_ups import LookUps
from flowforge.connectors.sdk import ConnectorError
from flowforge.engine.threads import FairThreads
from flowforge.ids import uuid7

GUARD = AddressGuard([ip_network("127.0.0.0/8")])
ADA, BEN = uuid7(), uuid7()
LOOPBACK = [(int(socket.AF_INET), "127.0.0.1")]
THREADS = 8


class NameServer:
    """Answers with the loopback; for names of `hanging.test` only when it is let go."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.let_go = threading.Event()

    def __call__(self, host: str, port: int, **_: object) -> list[Any]:
        self.asked[host] += 1
        if host.endswith("hanging.test"):
            self.let_go.wait(30)
        address = "10.0.0.7" if host.startswith("private") else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server)
    return server


@pytest.fixture
def look_ups() -> LookUps:
    return LookUps(FairThreads(THREADS, "look-up", (2, 3)).run)


def begun(look_ups: LookUps, user_id: UUID, *hosts: str) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(_look_up(look_ups, user_id, host)) for host in hosts]


async def _look_up(look_ups: LookUps, user_id: UUID, host: str) -> Any:
    return await look_ups.of(user_id)(GUARD, host, 443)


async def hang(names: NameServer, number: int) -> None:
    """Waits until so many look-ups hang."""
    async with asyncio.timeout(30):
        while sum(names.asked.values()) < number:
            await asyncio.sleep(0.01)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_names_of_one_account_that_hang_hold_up_no_other(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        hanging = begun(look_ups, ADA, *(f"{number}.hanging.test" for number in range(100)))
        await hang(names, 2)
        assert await _look_up(look_ups, BEN, "quick.test") == LOOPBACK
        assert not any(one.done() for one in hanging)
        names.let_go.set()
        await asyncio.gather(*hanging)

    run(work())


def test_a_host_of_many_accounts_that_hangs_holds_up_no_other(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        hanging = [one for _ in range(100) for one in begun(look_ups, uuid7(), "hanging.test")]
        await hang(names, 2)
        assert await _look_up(look_ups, BEN, "quick.test") == LOOPBACK
        assert names.asked["hanging.test"] == 2
        names.let_go.set()
        await asyncio.gather(*hanging)

    run(work())


def test_equal_look_ups_are_one(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        equal = begun(look_ups, ADA, *["hanging.test"] * 20)
        await hang(names, 1)
        equal.pop().cancel()
        names.let_go.set()
        assert await asyncio.gather(*equal) == [LOOPBACK] * 19
        assert names.asked["hanging.test"] == 1

    run(work())


def test_what_was_allowed_is_known_for_a_moment(
    names: NameServer, look_ups: LookUps, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        for user_id in (ADA, BEN):
            assert await _look_up(look_ups, user_id, "quick.test") == LOOPBACK
        assert names.asked["quick.test"] == 1
        monkeypatch.setattr("flowforge.connectors.network.look_ups._KNOWN_SECONDS", -1.0)
        for _ in range(2):
            await _look_up(look_ups, ADA, "other.test")
        assert names.asked["other.test"] == 2

    run(work())


def test_what_was_refused_is_asked_for_again(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        for _ in range(2):
            with pytest.raises(ConnectorError, match="private network"):
                await _look_up(look_ups, ADA, "private.test")
        assert names.asked["private.test"] == 2

    run(work())


def test_each_guard_has_its_own_answer(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        assert await _look_up(look_ups, ADA, "quick.test") == LOOPBACK
        with pytest.raises(ConnectorError, match="private network"):
            await look_ups.of(ADA)(AddressGuard([]), "quick.test", 443)

    run(work())


def test_what_nobody_waits_for_any_more_is_not_begun(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        hanging = begun(look_ups, ADA, *(f"{number}.hanging.test" for number in range(50)))
        await hang(names, 2)
        await asyncio.sleep(0)
        for one in hanging:
            one.cancel()
        await asyncio.wait(hanging)
        names.let_go.set()
        await _look_up(look_ups, ADA, "quick.test")
        assert sum(names.asked.values()) <= THREADS + 1

    run(work())


def test_an_address_is_not_looked_up(names: NameServer, look_ups: LookUps) -> None:
    async def work() -> None:
        threads_are_not_needed = LookUps(None)  # type: ignore[arg-type]
        assert await _look_up(threads_are_not_needed, ADA, "127.0.0.1") == LOOPBACK

    run(work())
