"""One running instance per home: a lock held for its life, and a record of its processes for the next start."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_CLOCK_TOLERANCE_SECONDS = 2.0


class AlreadyRunning(RuntimeError):
    """Another launcher holds this home."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process as it was started: the pid alone could belong to something else by now."""

    name: str
    pid: int
    started_at: float


def run_folder(home: Path) -> Path:
    return home / "run"


def lock(home: Path) -> int:
    """Lock the home until the returned descriptor is closed, at the latest by our own death. Raises AlreadyRunning."""
    folder = run_folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode().strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunning(
            f"FlowForge is already running on {home} (process {holder}); "
            "stop that one, or set FLOWFORGE_HOME and PORT to start a second one"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def launcher_pid(home: Path) -> int | None:
    """The pid of the launcher that runs on this home now."""
    try:
        os.close(lock(home))
    except AlreadyRunning:
        written = (run_folder(home) / "lock").read_text().strip()
        return int(written) if written.isdecimal() else None
    return None


def write_records(home: Path, records: list[ProcessRecord]) -> None:
    path = run_folder(home) / "processes.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([asdict(record) for record in records]))
    draft.rename(path)


def read_records(home: Path) -> list[ProcessRecord]:
    """Returns the records there are. What is no record, half written or of another release, counts for nothing."""
    try:
        entries = json.loads((run_folder(home) / "processes.json").read_text())
    except (FileNotFoundError, ValueError):  # the machine lost power while it was written; whatever ran then is gone
        return []
    return [record for entry in entries if (record := _record(entry))] if isinstance(entries, list) else []


def _record(entry: object) -> ProcessRecord | None:
    match entry:
        case {"name": str(name), "pid": int(pid), "started_at": int() | float() as started_at}:
            return ProcessRecord(name, pid, started_at)
    return None


def end_left_over_processes(home: Path) -> list[str]:
    """End what a killed launcher left running on this home; return the names. Needs the lock."""
    import psutil

    from flowforge.embedded.orphans import end

    left: list[tuple[str, psutil.Process]] = []
    for record in read_records(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(record.pid)
            if abs(process.create_time() - record.started_at) < _CLOCK_TOLERANCE_SECONDS:
                left.append((record.name, process))
    for _, process in left:  # all at once first, so that their last seconds pass side by side
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for _, process in left:
        end(process)
    write_records(home, [])
    return [name for name, _ in left]


def new_record(name: str, pid: int) -> ProcessRecord:
    return ProcessRecord(name, pid, time.time())
