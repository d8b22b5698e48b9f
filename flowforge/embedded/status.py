"""`python -m flowforge status`: which processes of an instance run, and what memory they take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from flowforge.embedded.console import Console
from flowforge.embedded.instance import launcher_pid, read_records
from flowforge.embedded.programs import WORKERS
from flowforge.settings import Settings

_MIB = 1024 * 1024


def report(settings: Settings) -> int:
    """Print the processes; return 0 if the instance of this home runs, else 3 (as service managers have it)."""
    console = Console()
    home = settings.home.resolve()
    processes = processes_of(home) if home.exists() else {}
    if not processes:
        console.print(f"Not running on {home}.")
        return 3
    console.print(f"{'process':<16}{'pid':>8}{'memory, MiB':>14}")
    for name, family in processes.items():
        memory = sum(own_share(process) for process in family)
        console.print(f"{name:<16}{family[0].pid:>8}{memory / _MIB:>14.0f}")
    return 0


def processes_of(home: Path) -> dict[str, list[psutil.Process]]:
    """The running instance's processes by name, each with the children that belong to it; empty when it doesn't run.

    The workers come one by one (`orchestrator`, `executor`, ...), and their common parent as `workers`.
    """
    launcher = launcher_pid(home)
    if launcher is None:
        return {}
    found = {"supervisor": [psutil.Process(launcher)]}
    for record in read_records(home):
        try:
            found.update(_members(record.name, psutil.Process(record.pid)))
        except psutil.NoSuchProcess:  # it ended a moment ago
            continue
    return found


def _members(name: str, process: psutil.Process) -> Iterator[tuple[str, list[psutil.Process]]]:
    children = process.children(recursive=True)
    if name != WORKERS:
        yield name, [process, *children]
        return
    yield name, [process]
    for child in children:
        if child.ppid() == process.pid:
            yield child.name(), [child, *child.children(recursive=True)]


def own_share(process: psutil.Process) -> int:
    """Bytes of memory; what several processes share is divided among them."""
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.uss))
