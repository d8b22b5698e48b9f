"""What hangs in threads for coroutines holds up neither other work nor other accounts."""

from __future__ import annotations

import asyncio
from functools import partial

from flowforge.engine.offloading import ASKING_AT_ONCE, COMPUTING_THREADS, Offloading
from tests.engine.test_threads import Hanging


def test_an_account_is_served_while_the_servers_of_many_others_hang() -> None:
    async def work() -> None:
        offloading, hanging = Offloading(), Hanging()
        accounts = [(f"workflow {number} {account}", account) for account in range(24) for number in range(10)]
        waiting = [asyncio.ensure_future(offloading.run(holders, hanging)) for holders in accounts for _ in range(10)]
        await hanging.begins(24 * ASKING_AT_ONCE[1])
        assert await offloading.run(("workflow", "innocent"), partial(int, "17")) == 17
        assert await offloading.run(accounts[0], partial(int, "17"), computes=True) == 17
        hanging.let_go.set()
        await asyncio.gather(*waiting)

    asyncio.run(work())


def test_an_account_asks_our_own_servers_while_its_servers_for_tokens_hang() -> None:
    async def work() -> None:
        offloading, hanging = Offloading(), Hanging()
        workflows = [(f"workflow {number}", "account") for number in range(10)]
        waiting = [asyncio.ensure_future(offloading.run(holders, hanging, signs=True)) for holders in workflows]
        await hanging.begins(ASKING_AT_ONCE[1])
        assert await asyncio.wait_for(offloading.run(workflows[0], partial(int, "17")), 30) == 17
        hanging.let_go.set()
        await asyncio.gather(*waiting)

    asyncio.run(work())


def test_another_account_computes_while_one_has_much_to_compute() -> None:
    async def work() -> None:
        offloading, hanging = Offloading(), Hanging()
        waiting = [
            asyncio.ensure_future(offloading.run((f"workflow {number}", "greedy"), hanging, computes=True))
            for number in range(10)
        ]
        await hanging.begins(COMPUTING_THREADS - 1)
        assert await offloading.run(("workflow", "innocent"), partial(int, "17"), computes=True) == 17
        hanging.let_go.set()
        await asyncio.gather(*waiting)

    asyncio.run(work())
