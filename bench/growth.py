"""Whether an instance gets slower by what it has kept: ten clients call a webhook whose workflow has one HTTP call, on
a new instance and on one with a history, by turns. `python -m bench.growth [executions in millions [rounds]]`

The default, 5 million executions with 25 million lines in the log, takes about 21 GB in the folder for temporary files
while it runs, and an hour to be written on a busy machine.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.history import Size, write_history
from bench.load import Generator
from bench.processes import used_seconds
from bench.product import Product, running
from bench.receiver import Receiver

MILLIONS, ROUNDS = 5.0, 5
CLIENTS = 10
SECONDS = 8.0
DRAIN_SECONDS = 120.0
KEPT = {"EXECUTION_RETENTION_DAYS": "3650", "LOG_RETENTION_DAYS": "3650"}
"""So that nothing is deleted while it is measured."""


@dataclass
class Instance:
    name: str
    product: Product
    generator: Generator
    receiver: Receiver
    rates: list[float] = field(default_factory=list)
    """Executions a second, in each round."""
    database: list[float] = field(default_factory=list)
    """Milliseconds of the processor that an execution takes PostgreSQL."""

    async def measure(self) -> None:
        before, done = used_seconds(self.product)["postgres"], self.receiver.calls
        begun = time.perf_counter()
        calls = len((await self.generator.closed(CLIENTS, SECONDS)).sent)
        while self.receiver.calls < done + calls:
            if time.perf_counter() > begun + SECONDS + DRAIN_SECONDS:
                raise RuntimeError(f"{done + calls - self.receiver.calls} calls never arrived")
            await asyncio.sleep(0.02)
        self.rates.append(calls / (time.perf_counter() - begun))
        await asyncio.sleep(2)  # the log
        self.database.append((used_seconds(self.product)["postgres"] - before) * 1000 / calls)


async def _instance(name: str, product: Product, executions: int) -> Instance:
    headers = product.register()
    if executions:
        begun = time.perf_counter()
        me = requests.get(f"{product.url}/auth/me", headers=headers, timeout=30).json()
        write_history(f"host={product.home}/postgres user=dev dbname=devdb", me["id"], Size(executions=executions))
        print(f"{executions:,} executions were written in {time.perf_counter() - begun:.0f} s")
        headers = product.sign_in()
    receiver = Receiver()
    await receiver.start()
    _, path = product.webhook_workflow(headers, [receiver.action()])
    generator = Generator("127.0.0.1", product.port, path)
    await generator.closed(CLIENTS, 2)  # warm up
    return Instance(name, product, generator, receiver)


async def measure(new: Product, old: Product, executions: int, rounds: int) -> None:
    history = await _instance(f"{executions:,} executions", old, executions)
    instances = [await _instance("nothing", new, 0), history]
    await asyncio.sleep(5)
    for number in range(rounds):  # by turns, and in turn first: what changes on the machine meets both alike
        for instance in instances[:: 1 if number % 2 else -1]:
            await instance.measure()
    for instance in instances:
        await instance.receiver.stop()
    _print(instances)


def _print(instances: list[Instance]) -> None:
    print(f"{'kept':<24}{'executions/s':>14}{'postgres, ms':>14}")
    for one in instances:
        rounds = ", ".join(f"{rate:.0f}" for rate in one.rates)
        rate, cost = statistics.median(one.rates), statistics.median(one.database)
        print(f"{one.name:<24}{rate:>14.0f}{cost:>14.2f}   ({rounds})")
    nothing, history = (statistics.median(one.rates) for one in instances)
    print(f"{history / nothing - 1:+.1%}")


def main() -> None:
    executions = int(float(sys.argv[1] if len(sys.argv) > 1 else MILLIONS) * 1e6)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowforge-bench-")))
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
        products = [stack.enter_context(running(folder / name, KEPT)) for name in ("new", "old")]
        asyncio.run(measure(*products, executions, rounds))


if __name__ == "__main__":
    main()
