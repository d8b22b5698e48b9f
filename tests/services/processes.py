"""Processes that a test starts: they end with the test process, also when that one is killed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import IO, Any

from flowforge.embedded.lifetime import ending_with_us


def start_server(
    command: Sequence[str],
    output: IO[bytes] | int | None = subprocess.DEVNULL,
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output and errors in `output` (None: with ours). `options` go to Popen.

    If the test process ends first, the server gets `stop_signal`.
    """
    errors = None if output is None else subprocess.STDOUT
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        preexec_fn=ending_with_us(stop_signal),
        **options,
    )
