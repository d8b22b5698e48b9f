"""What an instance costs while nothing happens: the processor, wake-ups and memory of each process, and transactions
of PostgreSQL; first without workflows, then with 200 whose schedules are due in January and 20 triggers that poll every
five minutes. `python -m bench.idle [seconds]`"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import requests

from bench.product import Product, running
from flowforge.embedded import postgres
from flowforge.embedded.status import own_share, processes_of

SECONDS = 60.0
SETTLING_SECONDS = 20.0
SCHEDULES, POLLS = 200, 20
SERVERS = ("postgres", "valkey")
_MIB = 1024 * 1024
_SCHEDULE = {"type": "scheduler", "config": {"cron": "0 6 1 1 *"}}


@dataclass(frozen=True)
class Use:
    """What a process has used so far: seconds of the processor, and how often it was woken; and its memory now."""

    seconds: float = 0.0
    wake_ups: int = 0
    memory: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(self.seconds + other.seconds, self.wake_ups + other.wake_ups, self.memory + other.memory)


async def watch(product: Product, seconds: float) -> None:
    """Lets the instance alone for a while, and prints what it did meanwhile."""
    await asyncio.sleep(SETTLING_SECONDS)
    before, committed, begun = _uses(product), _transactions(product), time.monotonic()
    await asyncio.sleep(seconds)
    passed, committed, after = time.monotonic() - begun, _transactions(product) - committed, _uses(product)
    print(f"{'process':<16}{'% of a core':>12}{'wake-ups/s':>12}{'MiB':>8}")
    for name, use in after.items():
        earlier = before.get(name, Use())
        share, woken = (use.seconds - earlier.seconds) / passed, (use.wake_ups - earlier.wake_ups) / passed
        print(f"{name:<16}{share * 100:>12.2f}{woken:>12.1f}{use.memory / _MIB:>8.1f}")
    used = sum(use.seconds for use in after.values()) - sum(use.seconds for use in before.values())
    ours = sum(use.memory for name, use in after.items() if name not in SERVERS)
    print(f"all: {used / passed * 100:.2f} % of a core; ours: {ours / _MIB:.0f} MiB", end="; ")
    print(f"{committed / passed * 60:.0f} transactions of PostgreSQL a minute\n")


def _uses(product: Product) -> dict[str, Use]:
    """By process; those of the web server one by one, those of PostgreSQL together."""
    families = processes_of(product.home)
    arbiter, *others = families.pop("web")
    families["web, parent"] = [arbiter]
    families["web, live"] = [process for process in others if process.name() == "live"]
    families["web"] = [process for process in others if process.name() != "live"]
    return {name: sum(map(_use, family), Use()) for name, family in families.items()}


def _use(process: psutil.Process) -> Use:
    """Of children that have ended, their parent tells the time of the processor."""
    with suppress(psutil.NoSuchProcess):
        return Use(sum(process.cpu_times()[:4]), sum(_wake_ups(process.pid)), own_share(process))
    return Use()


def _wake_ups(pid: int) -> Iterator[int]:
    """The times that each thread of a process has given the processor away to wait."""
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with suppress(FileNotFoundError):
            yield int(status.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def _transactions(product: Product) -> int:
    with closing(psycopg2.connect(postgres.url_of(product.home))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchall()[0][0])


def make_workflows(product: Product, url: str) -> None:
    """Workflows that do nothing now: they wait for a time, or for something new in the list at `url`."""
    headers = product.register()
    polled = {"type": "http_request", "config": {"url": url, "method": "GET"}}
    for trigger in [_SCHEDULE] * SCHEDULES + [polled] * POLLS:
        definition = {
            "name": "bench",
            "trigger": trigger,
            "actions": [{"type": "TRANSFORM", "config": {"output": {"ok": True}}}],
        }
        made = requests.post(f"{product.url}/api/v1/workflows", json=definition, headers=headers, timeout=30)
        made.raise_for_status()


class _EmptyList(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def serving_a_list() -> Iterator[str]:
    """The address of a list in which nothing is new."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyList) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


async def measure(product: Product, seconds: float = SECONDS) -> None:
    with serving_a_list() as url:
        print("no workflows")
        await watch(product, seconds)
        make_workflows(product, url)
        print(f"{SCHEDULES} schedules, {POLLS} polls")
        await watch(product, seconds)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder:
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
        with running(Path(folder) / "home") as product:
            asyncio.run(measure(product, seconds))


if __name__ == "__main__":
    main()
