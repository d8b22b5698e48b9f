"""A file through webhook -> HTTP_REQUEST that uploads it: the peak memory of each process of the instance (Linux).

`python -m bench.files [MEGABYTES]`. "Before" is what each process held after files of 1 MB that went the same way.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import psutil
import requests

from bench.product import Product, running
from tests.services.serving import serving

MEGABYTE = 1024 * 1024
LARGEST = 50
LONGEST_SECONDS = 120
_PIECE = 256 * 1024


class Receiver(ThreadingHTTPServer):
    """Notes the digest and size of what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, int]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        left = size = int(self.headers["Content-Length"])
        digest = hashlib.sha256()
        while left and (piece := self.rfile.read(min(left, _PIECE))):
            digest.update(piece)
            left -= len(piece)
        self.server.received.append((digest.hexdigest(), size - left))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Prints nothing."""


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else LARGEST
    receiver = Receiver()
    with (
        tempfile.TemporaryDirectory(prefix="flowforge-bench-") as home,
        running(Path(home)) as product,
        serving(receiver),
    ):
        measure(product, receiver, megabytes)


def measure(product: Product, receiver: Receiver, megabytes: int) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/"
    upload = {"type": "HTTP_REQUEST", "config": {"url": url, "method": "POST", "body": "{{ trigger.body }}"}}
    _, path = product.webhook_workflow(product.register(), [upload])
    for _ in range(3):
        _send(product, path, receiver, 1)
    before = {process.pid: process.memory_info().rss for process in product.processes()}
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # begins the peak anew (proc(5))
    seconds = _send(product, path, receiver, megabytes)
    print(f"{megabytes} MB from webhook to receiver in {seconds:.1f} s\n\n{'process':<34}{'before':>9}{'peak':>9}   MB")
    for process in product.processes():
        if process.pid in before:
            peak = _peak(process.pid)
            print(f"{_label(process):<34}{before[process.pid] / MEGABYTE:>9.1f}{peak / MEGABYTE:>9.1f}")


def _send(product: Product, path: str, receiver: Receiver, megabytes: int) -> float:
    """Sends a file and waits until it has arrived as it was sent. Returns the seconds that it took."""
    with tempfile.TemporaryFile() as file:
        digest = _fill(file, megabytes)
        count, begun = len(receiver.received), time.monotonic()
        headers = {"Content-Type": "application/pdf"}
        answer = requests.post(f"{product.url}{path}", data=file, headers=headers, timeout=60)
        answer.raise_for_status()
        while len(receiver.received) == count:
            if time.monotonic() - begun > LONGEST_SECONDS:
                raise RuntimeError("the file did not arrive")
            time.sleep(0.05)
    if receiver.received[-1] != (digest, megabytes * MEGABYTE):
        raise RuntimeError("another file arrived than was sent")
    return time.monotonic() - begun


def _fill(file: IO[bytes], megabytes: int) -> str:
    digest = hashlib.sha256()
    for number in range(megabytes):
        piece = hashlib.shake_128(str((number, time.time_ns())).encode()).digest(MEGABYTE)
        digest.update(piece)
        file.write(piece)
    file.seek(0)
    return digest.hexdigest()


def _peak(pid: int) -> int:
    """Bytes of memory that the process held at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) * 1024


def _label(process: psutil.Process) -> str:
    command = " ".join(process.cmdline()) or process.name()
    return "web (gunicorn)" if "--threads" in command else command[:32]


if __name__ == "__main__":
    main()
