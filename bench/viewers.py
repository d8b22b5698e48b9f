"""300 people watch executions live while webhooks come in at 50/s: what it costs the webhooks, how late lines reach the
viewers, and the web server's memory. `python -m bench.viewers [count] [NAME=value ...]`; names are settings'.

Viewers and callers of webhooks are processes of their own: the time that one takes must not count as the other's.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import requests

from bench.load import Generator
from bench.product import Product, running
from flowforge import jsonio

VIEWERS = 300
EXECUTIONS = 60
STEP_EVERY_SECONDS = 2
RATE, SECONDS = 50, 20.0
STEPS = 120
"""In a loop of each watched execution: more than it comes to while it is watched."""
OPENED_WITHIN_SECONDS = 60
SETTLE_SECONDS = 5


@dataclass
class Seen:
    """Delays that one viewer saw: seconds from each line's writing, and from its step's end, to its arrival."""

    open: bool = False
    from_line: list[float] = field(default_factory=list)
    from_step: list[float] = field(default_factory=list)


class Viewer:
    """Reads one stream until it is cancelled. Lines from before it came are not counted."""

    def __init__(self, port: int, headers: dict[str, str], execution_id: str) -> None:
        self._address = ("127.0.0.1", port)
        sent = {"Host": "localhost", "Accept": "text/event-stream", **headers}
        lines = [f"GET /api/v1/executions/{execution_id}/live HTTP/1.1", *(f"{n}: {v}" for n, v in sent.items())]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.seen = Seen()

    async def watch(self) -> None:
        reader, writer = await asyncio.open_connection(*self._address, limit=2**20)
        try:
            writer.write(self._request)
            status = await reader.readline()
            if b" 200 " not in status:
                raise RuntimeError(f"a viewer was answered {status!r}")
            begun = time.time()
            self.seen.open = True
            while line := await reader.readline():
                if line.startswith(b"data: ") and b'"eventType":"RESULT"' in line:
                    self._note(jsonio.loads(line[6:]), begun)
            raise RuntimeError("a stream ended before its execution")
        finally:
            writer.close()

    def _note(self, entry: dict[str, object], begun: float) -> None:
        now = time.time()
        written, ended = (jsonio.parse_time(str(at)).timestamp() for at in (entry["timestamp"], _ended(entry)))
        if ended > begun:
            self.seen.from_line.append(now - written)
            self.seen.from_step.append(now - ended)


def _ended(entry: dict[str, object]) -> object:
    data = entry["data"]
    return data["timestamp"] if isinstance(data, dict) else entry["timestamp"]


class Audience:
    """All viewers, in a process of their own."""

    def __init__(self, port: int, headers: dict[str, str], executions: Sequence[str], count: int) -> None:
        self._here, there = multiprocessing.Pipe()
        arguments = (there, port, headers, [executions[number % len(executions)] for number in range(count)])
        self._process = multiprocessing.get_context("spawn").Process(target=_watch_all, args=arguments)
        self._process.start()
        self._receive()
        time.sleep(SETTLE_SECONDS)
        self._here.send("begin")

    def seen(self) -> Seen:
        """The delays that all of them together have seen since they settled."""
        self._here.send("end")
        everything: Seen = self._receive()
        self._process.join(30)
        return everything

    def _receive(self) -> Seen:
        if not self._here.poll(OPENED_WITHIN_SECONDS):
            raise RuntimeError("the viewers do not answer")
        received = self._here.recv()
        if isinstance(received, Exception):
            raise RuntimeError("the viewers failed") from received
        seen: Seen = received
        return seen


def _watch_all(pipe: Connection, port: int, headers: dict[str, str], executions: Sequence[str]) -> None:
    try:
        asyncio.run(_watching(pipe, [Viewer(port, headers, execution) for execution in executions]))
    except Exception as error:  # noqa: BLE001  raised again in the process that measures
        pipe.send(error)


async def _watching(pipe: Connection, viewers: Sequence[Viewer]) -> None:
    watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    await _all_open(viewers, watching)
    pipe.send(Seen(open=True))
    await asyncio.to_thread(pipe.recv)
    for viewer in viewers:
        viewer.seen = Seen(open=True)
    await asyncio.to_thread(pipe.recv)
    together = Seen(
        open=True,
        from_line=[late for viewer in viewers for late in viewer.seen.from_line],
        from_step=[late for viewer in viewers for late in viewer.seen.from_step],
    )
    for task in watching:
        task.cancel()
    for outcome in await asyncio.gather(*watching, return_exceptions=True):
        if not isinstance(outcome, asyncio.CancelledError):
            raise RuntimeError("a viewer did not stay") from outcome
    pipe.send(together)


def measure(product: Product, count: int) -> None:
    headers = product.register()
    watched = _watched_executions(product, headers)
    _, path = product.webhook_workflow(headers, [{"type": "TRANSFORM", "config": {"output": {"n": 1}}}])
    generator = Generator("127.0.0.1", product.port, path)
    asyncio.run(generator.closed(2, 2))  # warm up
    time.sleep(2)
    _intake("no viewers", generator, product)
    audience = Audience(product.port, headers, watched, count)
    _intake(f"{count} viewers", generator, product)
    seen = audience.seen()
    for name in ("from_line", "from_step"):
        late = [seconds * 1000 for seconds in getattr(seen, name)]
        print(f"{name.replace('_', ' ')} to viewer: {_cuts(late)} ms ({len(late):,} lines)")


def _watched_executions(product: Product, headers: dict[str, str]) -> list[str]:
    steps = [
        {"type": "WAIT", "config": {"seconds": STEP_EVERY_SECONDS}},
        {"type": "TRANSFORM", "config": {"output": {"n": "{{ item }}"}}},
    ]
    loop = {"type": "FOR_EACH", "config": {"items": list(range(STEPS))}, "actions": steps}
    workflow_id, _ = product.webhook_workflow(headers, [loop])
    run = f"{product.url}/api/v1/workflows/{workflow_id}/run"
    started = []
    for _ in range(EXECUTIONS):
        answer = requests.post(run, json={}, headers=headers, timeout=30)
        answer.raise_for_status()
        started.append(answer.json()["executionId"])
        time.sleep(STEP_EVERY_SECONDS / EXECUTIONS)  # their steps are spread over time
    return started


async def _all_open(viewers: Sequence[Viewer], watching: Sequence[asyncio.Task[None]]) -> None:
    begun = time.perf_counter()
    while not all(viewer.seen.open for viewer in viewers):
        for task in watching:
            if task.done():
                await task  # raises what it ended with
        if time.perf_counter() - begun > OPENED_WITHIN_SECONDS:
            raise RuntimeError(f"only {sum(viewer.seen.open for viewer in viewers)} viewers were answered")
        await asyncio.sleep(0.05)
    print(f"all streams open after {time.perf_counter() - begun:.1f} s")


def _intake(name: str, generator: Generator, product: Product) -> None:
    web = _web(product)
    cpu, begun = _cpu_seconds(web), time.perf_counter()
    ours = _cpu_seconds([psutil.Process()])
    psutil.cpu_percent()
    load = asyncio.run(generator.open(RATE, SECONDS))
    took, machine = time.perf_counter() - begun, psutil.cpu_percent()
    used, ours = (_cpu_seconds(web) - cpu) / took, (_cpu_seconds([psutil.Process()]) - ours) / took
    memory = sum(process.memory_full_info().pss for process in web) / 2**20
    answers = _cuts([seconds * 1000 for seconds in load.answered])
    print(f"{name:<12} webhooks answered: {answers} ms")
    print(f"    web: {used:.0%} CPU, {memory:.0f} MiB; this script: {ours:.0%}; the machine is {machine:.0f}% busy")


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _web(product: Product) -> list[psutil.Process]:
    return [process for process in product.processes() if any("gunicorn" in part for part in process.cmdline())]


def _cuts(values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"p50 {cuts[49]:.1f}, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f}"


def main() -> None:
    settings = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    count = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), VIEWERS)
    with (
        tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder,
        running(Path(folder) / "home", {"LIVE_VIEWERS": str(2 * count)} | settings) as product,  # half of one account
    ):
        measure(product, count)


if __name__ == "__main__":
    main()
