"""The supervisor of a one-machine installation: supervisord, in the foreground, with our order of events.

Databases and set-up start first, everything else when the set-up is done. SIGINT, SIGTERM and SIGHUP stop all. When the
supervisor itself is killed its children are told to end by the kernel (Linux), or by the next start (elsewhere).

Run as `python -m flowforge.embedded.supervision <home> <lock descriptor> <listener descriptor>...`: a process of its
own that imports little, so that it stays small.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.process import Subprocess
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from flowforge.embedded.append_only_file import set_aside
from flowforge.embedded.console import Console, ErrorRelay
from flowforge.embedded.instance import ProcessRecord, new_record, write_records
from flowforge.embedded.lifetime import ending_with_us
from flowforge.embedded.programs import GREETER, SET_UP, VALKEY

_DATABASES = "databases"


class _Options(ServerOptions):  # type: ignore[misc]
    """supervisord's options, with what happens in a child between fork and exec."""

    def __init__(self, listeners: Sequence[int]) -> None:
        super().__init__()
        self.listeners = listeners
        self._bind_to_us = ending_with_us(signal.SIGTERM)

    def setsignals(self) -> None:
        hang_up_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().setsignals()
        if hang_up_ignored:  # started with nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def close_fd(self, fd: int) -> None:
        if fd not in self.listeners:
            super().close_fd(fd)

    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> None:
        for listener in self.listeners:
            os.set_inheritable(listener, f"fd://{listener}" in argv)
        self._bind_to_us()
        super().execve(filename, argv, env)


class _WakeUp:
    """Makes the main loop return at once from its wait when a signal arrives, instead of within a second."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        for descriptor in (self._reader, writer):
            fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def register(self, socket_map: dict[int, Any]) -> None:
        socket_map[self._reader] = self

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def handle_error(self) -> None:
        raise  # supervisord calls this from its except block


class _Supervisor(Supervisor):  # type: ignore[misc]
    """supervisord's loop; after each round it starts what may start now and records which processes there are."""

    def __init__(self, options: _Options, home: Path, console: Console) -> None:
        super().__init__(options)
        self.exit_code = 0
        self._home = home
        self._console = console
        self._relays: dict[str, ErrorRelay] = {}
        self._records: dict[str, ProcessRecord] = {}
        self._set_up_done = False

    def runforever(self) -> None:
        events.subscribe(events.ProcessLogEvent, self._relay)
        events.subscribe(events.ProcessStateExitedEvent, self._report_end)
        events.subscribe(events.ProcessStateBackoffEvent, self._report_failed_start)
        events.subscribe(events.SupervisorStoppingEvent, self._stop_listening)
        _WakeUp().register(self.options.get_socket_map())
        for group in self.process_groups.values():
            group.transition()  # starts what may start, before the loop's first wait
        super().runforever()

    def handle_signal(self) -> None:
        """A hang-up means 'stop' here; supervisord itself would start everything anew."""
        received = self.options.signal_receiver._signals_recvd
        if signal.SIGHUP in received:
            received[received.index(signal.SIGHUP)] = signal.SIGTERM
        super().handle_signal()

    def tick(self, now: float | None = None) -> None:
        super().tick(now)
        self._continue_after_set_up()
        self._stop_next_group()
        for group in self.process_groups.values():
            group.transition()  # starts what has just ended, without waiting for the next round
        self._record()

    def _processes(self) -> dict[str, Subprocess]:
        return {name: process for group in self.process_groups.values() for name, process in group.processes.items()}

    def _continue_after_set_up(self) -> None:
        processes = self._processes()
        set_up = processes[SET_UP]
        if self._set_up_done or self.stopping or set_up.state != ProcessStates.EXITED:
            return
        self._set_up_done = True
        if set_up.exitstatus != 0:
            self.exit_code = 1
            self.options.mood = SupervisorStates.SHUTDOWN
            return
        for process in processes.values():
            if not process.config.autostart:
                process.spawn()

    def _stop_next_group(self) -> None:
        """Stop the next group as soon as one has ended; the loop alone would take a second for each."""
        while self.stop_groups and not self.stop_groups[-1].get_unstopped_processes():
            self.stop_groups.pop()
            if self.stop_groups:
                self.stop_groups[-1].stop_all()

    def _record(self) -> None:
        running = {name: process.pid for name, process in self._processes().items() if process.pid}
        if running != {name: record.pid for name, record in self._records.items()}:
            by_pid = {record.pid: record for record in self._records.values()}
            self._records = {name: by_pid.get(pid) or new_record(name, pid) for name, pid in running.items()}
            write_records(self._home, list(self._records.values()))

    def _relay(self, event: events.ProcessLogEvent) -> None:
        name = event.process.config.name
        if event.process.group.config.name == _DATABASES:
            return  # their errors are answers to us, and show up where the request was made
        if name not in self._relays:
            self._relays[name] = ErrorRelay(name, self._console, everything=name in {SET_UP, GREETER})
        self._relays[name].feed(event.data)

    def _report_end(self, event: events.ProcessStateExitedEvent) -> None:
        process = event.process
        if process.config.autorestart:
            name, log = process.config.name, process.config.stdout_logfile
            self._console.print(f"[{name}] ended unexpectedly; starting it again (log: {log})")
            self._forgive(name, log)

    def _report_failed_start(self, event: events.ProcessStateBackoffEvent) -> None:
        process = event.process
        name, log = process.config.name, process.config.stdout_logfile
        self._console.print(f"[{name}] did not start; trying again in {process.backoff} s (log: {log})")
        if process.group.config.name == _DATABASES:
            self._console.tail(name, log)
        self._forgive(name, log)

    def _forgive(self, name: str, log: str) -> None:
        """Removes the reason for which a program may have ended, where nothing is lost by that."""
        if name == VALKEY and (broken := set_aside(self._home / VALKEY, Path(log))):
            self._console.print(
                f"[{name}] its append-only file cannot be read, and is set aside as {broken}; "
                "what was in it is made again from PostgreSQL"
            )

    def _stop_listening(self, event: events.SupervisorStoppingEvent) -> None:
        self._console.print("Stopping ...")
        for listener in self.options.listeners:
            os.close(listener)


def main(home: Path, listeners: Sequence[int]) -> int:
    """Run until a signal to stop; 0, or 1 when the set-up failed."""
    console = Console()
    options = _Options(listeners)
    options.realize(["--configuration", str(home / "run" / "supervisord.conf")], doc=__doc__)
    options.first = True
    options.test = False
    supervisor = _Supervisor(options, home, console)
    with contextlib.suppress(asyncore.ExitNow):
        supervisor.main()
    options.close_httpservers()
    options.close_logger()
    write_records(home, [])
    console.print("Stopped.")
    return supervisor.exit_code


if __name__ == "__main__":
    _, _home, *_descriptors = sys.argv
    _lock, *_listeners = map(int, _descriptors)
    for _ours in (_lock, *_listeners):
        os.set_inheritable(_ours, False)  # ours for life, not the children's
    sys.exit(main(Path(_home), _listeners))
