"""An installation of single processes, as containers have it: several of a kind, on the cores that they are given, and
near to their databases or far from them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.product import Product, free_port, own_environment, wait_until_ready
from flowforge.embedded.lifetime import ending_with_us
from flowforge.embedded.postgres import running_postgres
from flowforge.embedded.valkey import running_valkey

STOP_SECONDS = 20


@dataclass(frozen=True)
class Plan:
    """What an installation consists of."""

    cores: Collection[int]
    web: int = 1
    orchestrator: int = 1
    executor: int = 1
    away: float = 0.0
    """Seconds that what processes send takes to their databases, and as long back."""

    @property
    def commands(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(name, command) of each process but those of the web, which have ports."""
        for kind, copies in (("orchestrator", self.orchestrator), ("executor", self.executor), ("log-sink", 1)):
            for _ in range(copies):
                yield kind, ("workers.host", kind)
        yield "jobs", ("workers.jobs",)


@dataclass
class Installation:
    """A running one."""

    webs: list[Product] = field(default_factory=list)
    processes: list[tuple[str, psutil.Process]] = field(default_factory=list)
    """With what each is; several have the same name."""

    def used_seconds(self) -> list[float]:
        """Seconds of the processor that each of the processes has used so far, with its children."""
        return [
            sum(sum(one.cpu_times()[:4]) for one in (process, *process.children(recursive=True)))
            for _, process in self.processes
        ]


@contextmanager
def installed(plan: Plan, home: Path) -> Iterator[Installation]:
    """Runs one for the length of a `with` block; it is ready when the block begins."""
    made = Installation()
    with ExitStack() as ends:
        ends.enter_context(_on_cores(plan.cores))
        urls = _servers(home, ends, made)
        if plan.away:
            urls = {name: _far(name, url, plan.away, home, ends, made) for name, url in urls.items()}
        settings = own_environment(home) | urls
        subprocess.run([sys.executable, "-m", "flowforge", "set-up"], env=settings, check=True)
        for name, command in plan.commands:
            _start(name, command, settings, home, ends, made)
        for _ in range(plan.web):
            port = free_port()
            process = _start("web", ("flowforge", "web"), settings | {"PORT": str(port)}, home, ends, made)
            made.webs.append(Product(process, port, home))
        for web in made.webs:
            wait_until_ready(web)
        yield made


@contextmanager
def _on_cores(cores: Collection[int]) -> Iterator[None]:
    """What this thread starts meanwhile runs on these."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def _servers(home: Path, ends: ExitStack, made: Installation) -> dict[str, str]:
    """Starts PostgreSQL and Valkey; returns their addresses."""
    urls = {
        "POSTGRES_URL": ends.enter_context(running_postgres(home)),
        "REDIS_URL": ends.enter_context(running_valkey(home)),
    }
    for child in psutil.Process().children():
        if child.name() in ("postgres", "valkey-server"):
            made.processes.append((child.name().partition("-")[0], child))
    return urls


def _far(setting: str, url: str, away: float, home: Path, ends: ExitStack, made: Installation) -> str:
    """The address of the same server behind a network."""
    port = free_port()
    near = {
        "POSTGRES_URL": (home / "postgres" / ".s.PGSQL.5432", f"postgresql://dev@127.0.0.1:{port}/devdb"),
        "REDIS_URL": (home / "valkey" / "valkey.sock", f"redis://127.0.0.1:{port}/0"),
    }
    path, far = near[setting]
    _start("network", ("bench.delays", str(port), str(away), str(path)), own_environment(home), home, ends, made)
    return far


def _start(
    name: str,
    command: tuple[str, ...],
    settings: Mapping[str, str],
    home: Path,
    ends: ExitStack,
    made: Installation,
) -> subprocess.Popen[bytes]:
    console = ends.enter_context((home / "console.log").open("ab"))
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=settings,
        stdout=console,
        stderr=console,
        preexec_fn=ending_with_us(signal.SIGTERM),
    )
    ends.callback(_stop, process)
    made.processes.append((name, psutil.Process(process.pid)))
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
