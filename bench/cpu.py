"""What one execution costs each process: milliseconds of the processor, for workflows of 0, 1 and 5 HTTP calls that ten
clients start by webhook. A count of work, so that a machine that others use hardly changes it.
`python -m bench.cpu [calls [rounds]]`"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.load import Generator
from bench.processes import REST, SHOWN, used_seconds
from bench.product import Product, running
from bench.receiver import Receiver

CALLS, ROUNDS = 1_000, 5
CLIENTS = 10
STEPS = (0, 1, 5)
AT_REST_SECONDS = 0.1
"""Of the processor, in a second: nothing is left to be done."""
DRAIN_SECONDS = 120.0


async def measure(product: Product, calls: int = CALLS, rounds: int = ROUNDS) -> None:
    receiver = Receiver()
    await receiver.start()
    headers = product.register()
    generators = {steps: _generator(product, headers, steps, receiver) for steps in STEPS}
    for generator in generators.values():
        await generator.closed(CLIENTS, 2)  # warm up
    await _rest(product)
    costs: dict[int, list[dict[str, float]]] = {steps: [] for steps in STEPS}
    for _ in range(rounds):  # by turns: what changes on the machine meets all alike
        for steps, generator in generators.items():
            costs[steps].append(await _cost(product, generator, receiver, calls, steps))
    await receiver.stop()
    _print(costs)


def _generator(product: Product, headers: dict[str, str], steps: int, receiver: Receiver) -> Generator:
    _, path = product.webhook_workflow(headers, [receiver.action()] * steps)
    return Generator("127.0.0.1", product.port, path)


async def _cost(product: Product, generator: Generator, receiver: Receiver, calls: int, steps: int) -> dict[str, float]:
    """Milliseconds of the processor for one execution, by process."""
    before, done = used_seconds(product), receiver.calls
    await generator.times(CLIENTS, calls)
    await _drained(receiver, done + calls * steps)
    await _rest(product)
    after = used_seconds(product)
    return {name: (seconds - before[name]) * 1000 / calls for name, seconds in after.items()}


async def _drained(receiver: Receiver, calls: int) -> None:
    deadline = time.perf_counter() + DRAIN_SECONDS
    while receiver.calls < calls:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{calls - receiver.calls} calls never arrived")
        await asyncio.sleep(0.05)


async def _rest(product: Product) -> None:
    """Waits until the instance has nothing to do."""
    used, before = 1.0, sum(used_seconds(product).values())
    while used > AT_REST_SECONDS:
        await asyncio.sleep(1)
        now = sum(used_seconds(product).values())
        used, before = now - before, now


def _print(costs: dict[int, list[dict[str, float]]]) -> None:
    print(f"{'steps':<7}" + "".join(f"{name:>14}" for name in (*SHOWN, REST, "all")) + "   ms")
    for steps, rounds in costs.items():
        middle = [statistics.median(cost[name] for cost in rounds) for name in (*SHOWN, REST)]
        total = [sum(cost.values()) for cost in rounds]
        each = " ".join(f"{cost:.2f}" for cost in total)
        print(
            f"{steps:<7}" + "".join(f"{cost:>14.2f}" for cost in (*middle, statistics.median(total))) + f"   ({each})"
        )


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder:
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
        with running(Path(folder) / "home") as product:
            asyncio.run(measure(product, calls, rounds))


if __name__ == "__main__":
    main()
