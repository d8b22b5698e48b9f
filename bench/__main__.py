"""webhook -> one HTTP action, on this machine: throughput with 1, 10, 50 clients until the backlog is drained, and the
latency from webhook to receiver at 20 calls/s. The machine is shared by generator, receiver and databases."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Generator, Load
from bench.product import Product, running
from bench.receiver import Receiver
from tests.services.kafka_broker import running_kafka
from tests.services.mongo_fixture import running_secantus

SECONDS = 8.0
DRAIN_SECONDS = 120.0


async def measure(product: Product, headers: dict[str, str]) -> None:
    receiver = Receiver()
    await receiver.start()
    _, path = product.webhook_workflow(headers, [receiver.action()])
    generator = Generator("127.0.0.1", product.port, path)
    await generator.closed(4, 2)  # warm up
    await asyncio.sleep(1)
    print(f"{'load':<16}{'accepted/s':>11}{'completed/s':>12}{'answer p50':>12}{'p50':>9}{'p95':>9}{'p99':>9}   ms")
    await _row("open 20/s", lambda: generator.open(20, SECONDS), receiver, product)
    for clients in (1, 10, 50):
        await _row(f"{clients} clients", lambda n=clients: generator.closed(n, SECONDS), receiver, product)
    await receiver.stop()


async def _row(name: str, run, receiver: Receiver, product: Product) -> None:  # type: ignore[no-untyped-def]
    cpu = _cpu(product)
    begun = time.perf_counter()
    load: Load = await run()
    sending = time.perf_counter() - begun
    await _drained(load, receiver)
    elapsed = max(receiver.arrived[order] for order in load.sent) - begun
    waits = sorted((receiver.arrived[order] - sent) * 1000 for order, sent in load.sent.items())
    cuts = statistics.quantiles(waits, n=100)
    print(
        f"{name:<16}{len(load.sent) / sending:>11.1f}{len(load.sent) / elapsed:>12.1f}"
        f"{statistics.median(load.answered) * 1000:>12.1f}{cuts[49]:>9.1f}{cuts[94]:>9.1f}{cuts[98]:>9.1f}"
    )
    for label, seconds in sorted(_cpu(product).items()):
        used = (seconds - cpu.get(label, 0.0)) / elapsed * 100
        if used >= 1:
            print(f"    {used:5.0f}% CPU  {label}")


async def _drained(load: Load, receiver: Receiver) -> None:
    deadline = time.perf_counter() + DRAIN_SECONDS
    while not load.sent.keys() <= receiver.arrived.keys():
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{len(load.sent.keys() - receiver.arrived.keys())} calls never arrived")
        await asyncio.sleep(0.02)


def _cpu(product: Product) -> dict[str, float]:
    used: dict[str, float] = {}
    for process in product.processes():
        times = process.cpu_times()
        label = f"{' '.join(process.cmdline())[-40:]} #{process.pid}" if process.name() != "postgres" else "postgres"
        used[label] = used.get(label, 0.0) + times.user + times.system
    return used


@contextmanager
def stack(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Settings that choose a stack: `embedded` or `kafka`.

    `kafka` is Apache Kafka for the bus, with the library that KAFKA_CLIENT names; the log goes to MONGO_URI, or else to
    SecantusDB, which speaks MongoDB's protocol but is far slower.
    """
    if name == "embedded":
        yield {}
        return
    if name != "kafka":
        raise SystemExit(f"STACK={name} is not known; use embedded or kafka")
    (folder / "kafka").mkdir()
    (folder / "mongo").mkdir()
    with running_kafka(folder / "kafka") as brokers, mongo(folder / "mongo") as (uri, server):
        print(f"Apache Kafka at {brokers}, the log in {server}")
        client = os.environ.get("KAFKA_CLIENT", "kafka-python")
        yield {"KAFKA_BROKERS": brokers, "KAFKA_CLIENT": client, "MONGO_URI": uri}


@contextmanager
def mongo(folder: Path) -> Iterator[tuple[str, str]]:
    """(URI, which server that is)"""
    if "MONGO_URI" in os.environ:
        yield os.environ["MONGO_URI"], "MongoDB"
        return
    with running_secantus(folder) as url:
        yield f"{url}/flowforge_logs", "SecantusDB"


def main() -> None:
    name = os.environ.get("STACK", "embedded")
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder, stack(name, Path(folder)) as settings:
        print(f"stack: {name}; load of the machine before: {os.getloadavg()[0]:.1f}")
        with running(Path(folder) / "home", settings) as product:
            asyncio.run(measure(product, product.register()))


if __name__ == "__main__":
    main()
