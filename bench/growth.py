"""Whether an instance gets slower by what it has kept: ten clients call a webhook whose workflow has one HTTP call, on
a new instance and on one with a history, by turns. `python -m bench.growth [executions in millions [rounds [folder]]]`

The default, 5 million executions with 25 million lines in the log, takes 21 GB in the folder for temporary files while
it runs. In a folder that is named the history stays for the next time; with 0 rounds it is only written.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from bench.history import KEPT, Size, keep_history
from bench.load import Generator
from bench.processes import used_seconds
from bench.product import Product, running
from bench.receiver import Receiver
from flowforge.embedded.postgres import url_of

MILLIONS, ROUNDS = 5.0, 5
CLIENTS = 10
SECONDS = 8.0
DRAIN_SECONDS = 120.0


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
    written: list[float] = field(default_factory=list)
    """Bytes of the write-ahead log for an execution."""

    async def measure(self) -> None:
        before, written, done = used_seconds(self.product)["postgres"], self._written(), self.receiver.calls
        begun = time.perf_counter()
        calls = len((await self.generator.closed(CLIENTS, SECONDS)).sent)
        while self.receiver.calls < done + calls:
            if time.perf_counter() > begun + SECONDS + DRAIN_SECONDS:
                raise RuntimeError(f"{done + calls - self.receiver.calls} calls never arrived")
            await asyncio.sleep(0.02)
        self.rates.append(calls / (time.perf_counter() - begun))
        await asyncio.sleep(2)  # the log
        self.database.append((used_seconds(self.product)["postgres"] - before) * 1000 / calls)
        self.written.append((self._written() - written) / calls)

    def _written(self) -> int:
        """Bytes of the write-ahead log so far."""
        with closing(psycopg2.connect(url_of(self.product.home))) as database, database.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
            [(written,)] = cursor.fetchall()
            return int(written)


async def _instance(name: str, product: Product, headers: dict[str, str]) -> Instance:
    receiver = Receiver()
    await receiver.start()
    _, path = product.webhook_workflow(headers, [receiver.action()])
    generator = Generator("127.0.0.1", product.port, path)
    await generator.closed(CLIENTS, 2)  # warm up
    return Instance(name, product, generator, receiver)


async def measure(new: Product, old: Product, executions: int, rounds: int) -> None:
    instances = [
        await _instance("nothing", new, new.register()),
        await _instance(f"{executions:,} executions", old, old.sign_in()),
    ]
    await asyncio.sleep(5)
    for number in range(rounds):  # by turns, and in turn first: what changes on the machine meets both alike
        for instance in instances[:: 1 if number % 2 else -1]:
            await instance.measure()
    for instance in instances:
        await instance.receiver.stop()
    _print(instances)


def _print(instances: list[Instance]) -> None:
    print(f"{'kept':<24}{'executions/s':>14}{'postgres, ms':>14}{'WAL, KB':>10}")
    for one in instances:
        rate, cost, written = map(statistics.median, (one.rates, one.database, one.written))
        print(f"{one.name:<24}{rate:>14.0f}{cost:>14.2f}{written / 1000:>10.1f}   {_rounds(one)}")
    nothing, history = (statistics.median(one.rates) for one in instances)
    print(f"{history / nothing - 1:+.1%}")


def _rounds(instance: Instance) -> str:
    """What each round gave, of which the medians are shown."""
    rates = ", ".join(f"{rate:.0f}" for rate in instance.rates)
    costs = ", ".join(f"{cost:.2f}" for cost in instance.database)
    return f"({rates}; {costs} ms)"


def main() -> None:
    executions = int(float(sys.argv[1] if len(sys.argv) > 1 else MILLIONS) * 1e6)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as temporary:
        old = Path(sys.argv[3] if len(sys.argv) > 3 else temporary).resolve() / "old"
        keep_history(old, Size(executions=executions))
        if rounds:
            with running(Path(temporary) / "new", KEPT) as new, running(old, KEPT) as kept:
                print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
                asyncio.run(measure(new, kept, executions, rounds))


if __name__ == "__main__":
    main()
