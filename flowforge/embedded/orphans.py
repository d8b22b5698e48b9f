"""Processes that a killed launcher left behind: recognised beyond doubt, then ended."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

_PATIENCE_SECONDS = 10.0


def stop_orphan(pidfile: Path, *, executable: str, stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ends the server that wrote `pidfile`, if it still runs on that folder, and removes the file.

    A process is taken for that server only when it has the executable's name and works in the pid file's folder;
    a pid that the system has given to something else since then is left alone.
    """
    try:
        pid = int(pidfile.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    try:
        process = psutil.Process(pid)
        if process.name() == executable and Path(process.cwd()) == pidfile.parent:
            end(process, stop_signal)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        pass  # gone, or another user's: not ours
    pidfile.unlink(missing_ok=True)


def end(process: psutil.Process, stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """Ask the process to stop, and kill it if it doesn't. psutil makes sure that the pid is still its own."""
    try:
        process.send_signal(stop_signal)
        process.wait(_PATIENCE_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(_PATIENCE_SECONDS)
    except psutil.NoSuchProcess:
        pass
