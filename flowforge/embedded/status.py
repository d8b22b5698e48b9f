"""`python -m flowforge status`: which processes of an instance run, and what memory they take."""

from __future__ import annotations

from pathlib import Path

import psutil

from flowforge.embedded.console import Console
from flowforge.embedded.instance import launcher_pid, read_records
from flowforge.settings import Settings

_MIB = 1024 * 1024


def report(settings: Settings) -> int:
    """0 when the instance of this home runs, 3 when it doesn't (as service managers have it)."""
    console = Console()
    home = settings.home.resolve()
    launcher = launcher_pid(home) if home.exists() else None
    if launcher is None:
        console.say(f"Not running on {home}.")
        return 3
    console.say(f"{'process':<14}{'pid':>8}{'memory, MiB':>14}")
    for name, pid, memory in [("supervisor", launcher, _memory(launcher, family=False)), *_programs(home)]:
        console.say(f"{name:<14}{pid:>8}{memory / _MIB:>14.0f}")
    return 0


def _programs(home: Path) -> list[tuple[str, int, int]]:
    return [(record.name, record.pid, _memory(record.pid, family=True)) for record in read_records(home)]


def _memory(pid: int, *, family: bool) -> int:
    """Bytes of a process, with its `family` of children; what several processes share is divided among them."""
    try:
        process = psutil.Process(pid)
        children = process.children(recursive=True) if family else []
        return sum(_own_share(each) for each in (process, *children))
    except psutil.NoSuchProcess:
        return 0


def _own_share(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.uss))
