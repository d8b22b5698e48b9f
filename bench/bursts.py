"""Much at once: 10,000 schedules that are due in the same second, and 20,000 calls of a webhook that were accepted
while no worker ran. Both lead to workflows of one HTTP call. `python -m bench.bursts [schedules|backlog [number]]`

Prints when all were accepted and when all had run, what an execution costs each process, and the most memory that each
has held. Twice a second another workflow is called: how long it waits is how well new work gets past the old.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import requests

from bench.load import Generator
from bench.processes import REST, SHOWN, idle_seconds, resident_bytes, used_seconds
from bench.product import Product, running
from bench.receiver import Receiver
from flowforge.embedded.status import processes_of

NUMBERS = {"schedules": 10_000, "backlog": 20_000}
CLIENTS = 10
CLOSED_LOOP_SECONDS = 8.0
DUE_IN_SECONDS = 8
PROBE_EVERY_SECONDS = 0.5
LOOK_EVERY_SECONDS = 0.1
LONGEST_SECONDS = 300.0
WORKERS = ("workers", "orchestrator", "executor", "log-sink", "ticks")

_EXECUTION = "{{ execution.id }}"
"""What the receiver is called with: schedules have no orders."""

_SCHEDULE = """
    INSERT INTO trigger_service.trigger_registrations
        (id, workflow_id, user_id, enabled, trigger_type, configuration, next_scheduled_at, created_at, updated_at)
    SELECT gen_random_uuid(), workflow_id, user_id, true, trigger_type, configuration,
           to_timestamp(%(due)s), now(), now()
    FROM trigger_service.trigger_registrations, generate_series(1, %(number)s) WHERE workflow_id = %(workflow)s
"""
_ACCEPTED = "SELECT count(*) FROM trigger_service.trigger_events WHERE workflow_id = %(workflow)s"
_ENDED = """
    SELECT count(*) FROM orchestrator.workflow_executions
    WHERE workflow_id = %(workflow)s AND status = 'COMPLETED'
"""


@dataclass
class Probe:
    """Calls of another workflow while the burst is worked off."""

    generator: Generator
    receiver: Receiver
    sent: dict[int, float] = field(default_factory=dict)

    async def call_now_and_then(self) -> None:
        while True:
            self.sent |= (await self.generator.times(1, 1)).sent
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    async def waits(self) -> list[float]:
        """Seconds from each call to its arrival."""
        await _until(lambda: self.sent.keys() <= self.receiver.arrived.keys())
        return [self.receiver.arrived[order] - sent for order, sent in self.sent.items()]


@dataclass
class Bench:
    """An instance, and what its bursts call."""

    product: Product
    database: Any
    headers: dict[str, str]
    receiver: Receiver
    probe: Probe

    def ask(self, statement: str, **values: Any) -> int:
        with self.database.cursor() as cursor:
            cursor.execute(statement, values)
            return int(cursor.fetchone()[0]) if cursor.description else 0

    def webhook(self) -> tuple[str, Generator]:
        """A workflow with a webhook, and who calls it."""
        workflow_id, path = self.product.webhook_workflow(self.headers, [self.receiver.action(_EXECUTION)])
        return workflow_id, Generator("127.0.0.1", self.product.port, path)

    def schedule(self, number: int, due: float) -> str:
        """A workflow with so many schedules that are due at that time."""
        trigger = {"type": "scheduler", "config": {"intervalMinutes": 60}}
        definition = {"name": "bench", "trigger": trigger, "actions": [self.receiver.action(_EXECUTION)]}
        made = requests.post(
            f"{self.product.url}/api/v1/workflows", json=definition, headers=self.headers, timeout=30
        ).json()
        self.ask(_SCHEDULE, workflow=made["id"], number=number, due=due)
        return str(made["id"])


async def schedules(bench: Bench, number: int) -> None:
    due = float(int(time.time()) + DUE_IN_SECONDS)
    workflow_id = bench.schedule(number, due)
    await asyncio.sleep(due - time.time() - 1)
    await _work_off(bench, workflow_id, number, begins_in=due - time.time())


async def backlog(bench: Bench, number: int) -> None:
    workflow_id, generator = bench.webhook()
    begun = time.perf_counter()
    warm = len((await generator.closed(CLIENTS, CLOSED_LOOP_SECONDS)).sent)
    await _until(lambda: bench.receiver.calls >= warm)
    print(f"closed loop, {CLIENTS} clients: {warm / (time.perf_counter() - begun):.0f} executions/s")
    with _stopped_workers(bench.product):
        begun = time.perf_counter()
        await generator.times(CLIENTS, number)
        print(f"accepted without workers: {number / (time.perf_counter() - begun):.0f} calls/s")
    await _work_off(bench, workflow_id, warm + number, before=warm)


async def _work_off(bench: Bench, workflow_id: str, total: int, *, before: int = 0, begins_in: float = 0.0) -> None:
    """Prints how a burst of executions is worked off; `total`, with those of the workflow that ran before."""
    used, idle = used_seconds(bench.product), idle_seconds()
    began, begun = time.perf_counter(), time.perf_counter() + begins_in
    peak: dict[str, int] = {}
    watching = asyncio.create_task(_watch_memory(bench.product, peak))
    probing = asyncio.create_task(bench.probe.call_now_and_then())
    await _until(lambda: bench.ask(_ACCEPTED, workflow=workflow_id) >= total)
    accepted = time.perf_counter() - begun
    await _until(lambda: bench.receiver.calls >= total)
    called = time.perf_counter() - begun
    await _until(lambda: bench.ask(_ENDED, workflow=workflow_id) >= total)
    ended = time.perf_counter() - begun
    watched = time.perf_counter() - began
    shares = {name: (seconds - used[name]) / watched for name, seconds in used_seconds(bench.product).items()}
    idle = (idle_seconds() - idle) / watched
    probing.cancel()
    number = total - before
    print(
        f"all accepted after {accepted:.1f} s, all called after {called:.1f} s, all ended after {ended:.1f} s", end=""
    )
    print(f" ({number / ended:.0f} executions/s)")
    _print(f"cores: {sum(shares.values()):.2f} used, {idle:.2f} idle; of one", shares, ".0%")
    waits = sorted(await bench.probe.waits())
    print(
        f"another workflow, {len(waits)} calls: waits p50 {statistics.median(waits):.2f} s, longest {waits[-1]:.2f} s"
    )
    await asyncio.sleep(2)  # the log
    watching.cancel()
    after = used_seconds(bench.product)
    _print("ms of the processor", {name: (after[name] - used[name]) * 1000 / number for name in (*SHOWN, REST)}, ".2f")
    _print("most memory, MB", {name: size / 1e6 for name, size in peak.items()}, ".0f")


def _print(what: str, by_process: dict[str, float], form: str) -> None:
    print(f"{what}: " + ", ".join(f"{name} {value:{form}}" for name, value in by_process.items()))


async def _watch_memory(product: Product, peak: dict[str, int]) -> None:
    while True:
        for name, size in resident_bytes(product).items():
            peak[name] = max(peak.get(name, 0), size)
        await asyncio.sleep(1)


async def _until(done: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + LONGEST_SECONDS
    while not done():
        if time.perf_counter() > deadline:
            raise RuntimeError(f"it is not done after {LONGEST_SECONDS:g} s")
        await asyncio.sleep(LOOK_EVERY_SECONDS)


@contextmanager
def _stopped_workers(product: Product) -> Iterator[None]:
    """Holds the workers for the length of a `with` block, and their parent with them, which would start others."""
    families = processes_of(product.home)
    held = [families[name][0] for name in WORKERS]
    for process in held:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in held:
            process.send_signal(signal.SIGCONT)


async def measure(product: Product, burst: str, number: int) -> None:
    receiver, other = Receiver(), Receiver()
    await receiver.start()
    await other.start()
    headers = product.register()
    _, path = product.webhook_workflow(headers, [other.action()])
    probe = Probe(Generator("127.0.0.1", product.port, path), other)
    with closing(psycopg2.connect(f"host={product.home}/postgres user=dev dbname=devdb")) as database:
        database.autocommit = True
        await {"schedules": schedules, "backlog": backlog}[burst](
            Bench(product, database, headers, receiver, probe), number
        )
    await receiver.stop()
    await other.stop()


def main() -> None:
    chosen = sys.argv[1:2] or list(NUMBERS)
    for burst in chosen:
        number = int(sys.argv[2]) if len(sys.argv) > 2 else NUMBERS[burst]
        print(f"{burst}: {number:,}; load of the machine before: {os.getloadavg()[0]:.1f}")
        with (
            tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder,
            running(Path(folder) / "home") as product,
        ):
            asyncio.run(measure(product, burst, number))


if __name__ == "__main__":
    main()
