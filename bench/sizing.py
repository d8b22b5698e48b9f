"""How many executions a second an installation does with 1, 5 and 20 HTTP calls each, by its cores, its copies of
processes and the way to its databases; and what is at its limit first. `python -m bench.sizing`, about ten minutes.

Prints rows of docs/performance.md. On a machine of two cores, callers and receiver take a part of them. What more cores
would do is computed from what an execution costs, and printed apart.
"""

from __future__ import annotations

import asyncio
import math
import os
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench.calling import DRAIN_SECONDS
from bench.installation import Installation, Plan, installed
from bench.load import Generator
from bench.processes import idle_seconds
from bench.receiver import Receiver

EXECUTIONS = {1: 2_000, 5: 600, 20: 150}
"""How many are measured, by their number of calls."""
CLIENTS = 10
ONE, TWO = {0}, {0, 1}
AWAY = 0.000_25
PLANS = {
    "1 core": Plan(ONE),
    "2 cores": Plan(TWO),
    "2 cores, 2 executors": Plan(TWO, executor=2),
    "2 cores, 2 executors, 2 webs": Plan(TWO, executor=2, web=2),
    "2 cores, databases 0.5 ms away": Plan(TWO, away=AWAY),
    "2 cores, databases 0.5 ms away, 4 executors": Plan(TWO, away=AWAY, executor=4),
}
COMPUTED_FROM = "2 cores"
CORES = (2, 4, 8, 16)
LOG_SECONDS = 1.0
"""Until the last lines of the log are written, which are part of what an execution costs."""
BUSY = 0.9
"""Of a core: more can hardly be had."""
COPIED = ("web", "orchestrator", "executor", "log-sink")


@dataclass(frozen=True)
class Measured:
    rate: float
    """Executions a second."""
    shares: tuple[tuple[str, float], ...]
    """Of a core, that each process took."""
    callers: float
    """Of a core, that callers and receiver took."""
    idle: float
    """Of the cores that the installation may use, all together."""

    @property
    def costs(self) -> dict[str, float]:
        """Seconds of the processor for an execution, by what the processes are."""
        costs: dict[str, float] = defaultdict(float)
        for name, share in self.shares:
            costs[name] += share / self.rate
        return costs

    @property
    def busiest(self) -> tuple[str, float]:
        """The process that took most of a core, and how much of it."""
        return max((one for one in self.shares if one[0] in COPIED), key=lambda one: one[1])

    def limit(self, plan: Plan) -> str:
        """What is at its limit: all cores, one process, or neither."""
        if self.idle <= (1 - BUSY) * len(plan.cores):
            return "the cores"
        name, share = self.busiest
        return f"one {name}" if share >= BUSY else "waits"


async def measure(plan: Plan, installation: Installation, steps: int) -> Measured:
    receiver = Receiver()
    await receiver.start()
    web = installation.webs[0]
    _, path = web.webhook_workflow(web.sign_in(), [receiver.action()] * steps)
    generators = [Generator("127.0.0.1", one.port, path) for one in installation.webs]
    await _calls(generators, receiver, steps, EXECUTIONS[steps] // 5)  # warm up
    before, ours, idle = installation.used_seconds(), time.process_time(), idle_seconds(plan.cores)
    begun = time.perf_counter()
    await _calls(generators, receiver, steps, EXECUTIONS[steps])
    elapsed = receiver.last_call - begun
    ours, idle = time.process_time() - ours, idle_seconds(plan.cores) - idle
    await asyncio.sleep(LOG_SECONDS)
    used = [after - earlier for earlier, after in zip(before, installation.used_seconds(), strict=True)]
    await receiver.stop()
    shares = tuple((name, seconds / elapsed) for (name, _), seconds in zip(installation.processes, used, strict=True))
    return Measured(EXECUTIONS[steps] / elapsed, shares, callers=ours / elapsed, idle=idle / elapsed)


async def _calls(generators: list[Generator], receiver: Receiver, steps: int, number: int) -> None:
    """Calls, shared among the webs, until the last step has called."""
    expected = receiver.calls + number * steps
    webs = len(generators)
    await asyncio.gather(
        *(one.times(CLIENTS // webs, len(range(nth, number, webs))) for nth, one in enumerate(generators))
    )
    deadline = time.perf_counter() + DRAIN_SECONDS
    while receiver.calls < expected:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{expected - receiver.calls} calls never arrived")
        await asyncio.sleep(0.02)


def _row(name: str, plan: Plan) -> dict[int, Measured]:
    """Measures a plan, and prints its row."""
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder:
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - set(plan.cores) or plan.cores)
        with installed(plan, Path(folder) / "home") as installation:
            installation.webs[0].register()
            measured = {steps: asyncio.run(measure(plan, installation, steps)) for steps in EXECUTIONS}
    columns = [
        *(f"{one.rate:.0f}" for one in measured.values()),
        ", ".join(dict.fromkeys(one.limit(plan) for one in measured.values())),
        ", ".join("{} {:.0%}".format(*one.busiest) for one in measured.values()),
        ", ".join(f"{sum(share for _, share in one.shares):.1f}" for one in measured.values()),
        ", ".join(f"{one.callers:.1f}" for one in measured.values()),
    ]
    print(f"| {name} | {' | '.join(columns)} |", flush=True)
    return measured


def _print_costs(measured: dict[int, Measured]) -> None:
    names = list(measured[1].costs)
    print(f"\nms of the processor for an execution\n\n| calls | {' | '.join(names)} | all |")
    print("|" + "--:|" * (len(names) + 2))
    for steps, one in measured.items():
        costs = " | ".join(f"{one.costs[name] * 1000:.2f}" for name in names)
        print(f"| {steps} | {costs} | {sum(one.costs.values()) * 1000:.2f} |")


def _print_computed(measured: dict[int, Measured]) -> None:
    """What cores can do at best: no core waits, and nothing else runs on them."""
    calls = " | ".join(f"{steps}" for steps in measured)
    print(f"\ncomputed, not measured\n\n| cores | {calls} | copies for {min(measured)} and {max(measured)} calls |")
    print("|" + "--:|" * (len(measured) + 1) + "---|")
    for cores in CORES:
        rates = {steps: cores / sum(one.costs.values()) for steps, one in measured.items()}
        copies = "; ".join(_copies(measured[steps], rates[steps]) for steps in (min(measured), max(measured)))
        print(f"| {cores} | {' | '.join(f'{rate:.0f}' for rate in rates.values())} | {copies} |")


def _copies(one: Measured, rate: float) -> str:
    """How many of each process such a rate takes."""
    return ", ".join(f"{math.ceil(rate * one.costs[name] / BUSY)} {name}" for name in COPIED)


def main() -> None:
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    rates = " | ".join(f"{steps} calls" for steps in EXECUTIONS)
    print(f"| executions/s | {rates} | at its limit | busiest, of a core | cores used | by callers |")
    print("|---" + "|--:" * len(EXECUTIONS) + "|---|---|--:|--:|")
    measured = {name: _row(name, plan) for name, plan in PLANS.items()}
    _print_costs(measured[COMPUTED_FROM])
    _print_computed(measured[COMPUTED_FROM])


if __name__ == "__main__":
    main()
