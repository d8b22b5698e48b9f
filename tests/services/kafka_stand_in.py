"""Where no real Kafka can be had (no Java, no Maven, no jars): noida-db, a server that speaks Kafka's protocol."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from tests.services.kafka_broker import answers, free_ports
from tests.services.processes import start_server
from tests.waiting import eventually


@contextmanager
def running_stand_in(folder: Path) -> Iterator[str]:
    """The server's address."""
    binary = Path(str(files("noida_db") / "noida-db"))
    binary.chmod(0o755)  # the wheel forgets to mark it
    [port] = free_ports(1)
    command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "stand-in.log").open("wb") as log:
        server = start_server(command, log, stop_signal=signal.SIGKILL)
    try:
        eventually(lambda: answers(port, server), every=0.2)
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(30)
