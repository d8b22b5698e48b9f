"""The whole installation as a process of its own, for the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from flowforge.embedded.status import processes_of
from tests.services.processes import start_server
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
PROGRAMS = {"supervisor", "postgres", "valkey", "web", "workers", "orchestrator", "executor", "log-sink"}
_READY_SECONDS = 90


@dataclass
class Instance:
    home: Path
    process: subprocess.Popen[bytes]
    console: Path

    @property
    def output(self) -> str:
        return self.console.read_text()

    def wait_until_ready(self) -> str:
        """The dashboard's address, once it has been told."""

        def told() -> str | None:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.output}"
            lines = [line for line in self.output.splitlines() if line.startswith("FlowForge is ready:")]
            return lines[-1].split()[-1].rstrip("/") if lines else None

        try:
            return eventually(told, seconds=_READY_SECONDS, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"not ready: {error}\n{self.output}") from error

    def pid_of(self, program: str) -> int:
        return processes_of(self.home)[program][0].pid

    def processes(self) -> list[psutil.Process]:
        """The launcher and everything below it."""
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(stop_signal)
        return self.process.wait(60)


@contextmanager
def instance(folder: Path, **environment: str) -> Iterator[Instance]:
    """`python -m flowforge run` on `folder`/home and a free port; whatever is left of it is ended afterwards."""
    started = start(folder, PORT="0", **environment)
    try:
        yield started
    finally:
        family = started.processes() if started.process.poll() is None else []
        if started.process.poll() is None:
            started.stop()
        _gone, left = psutil.wait_procs(family, timeout=30)
        for each in left:
            each.kill()


def start(folder: Path, **environment: str) -> Instance:
    home = folder / "home"
    console = folder / f"console-{len(list(folder.glob('console-*')))}.txt"
    with console.open("wb") as output:
        process = start_server(
            [sys.executable, "-m", "flowforge", "run"],
            output,
            cwd=folder,  # away from the developer's .env
            env={**_clean_environment(), "FLOWFORGE_HOME": str(home), **environment},
            start_new_session=True,
        )
    return Instance(home, process, console)


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(PROJECT)}
