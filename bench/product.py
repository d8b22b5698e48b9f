"""A running instance to measure: started from this checkout, with a home and a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from flowforge.embedded.lifetime import ending_with_us

START_SECONDS = 180


@dataclass(frozen=True)
class Product:
    process: subprocess.Popen[bytes]
    port: int
    home: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[psutil.Process]:
        """The instance's own processes, servers included."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def register(self, name: str = "bench") -> dict[str, str]:
        """Register a user; return the headers that authenticate a request."""
        account = {"username": name, "email": f"{name}@example.test", "password": "bench-password"}
        answer = requests.post(f"{self.url}/auth/register", json=account, timeout=30)
        answer.raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def sign_in(self, name: str = "bench") -> dict[str, str]:
        """The same for a user who is registered: after a quarter of an hour the headers are good for nothing."""
        account = {"username": name, "password": "bench-password"}
        answer = requests.post(f"{self.url}/auth/login", json=account, timeout=30)
        answer.raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def webhook_workflow(self, headers: dict[str, str], actions: list[dict[str, Any]]) -> tuple[str, str]:
        """(workflow id, path of its webhook)"""
        definition = {"name": "bench", "trigger": {"type": "webhook"}, "actions": actions}
        made = requests.post(f"{self.url}/api/v1/workflows", json=definition, headers=headers, timeout=30)
        made.raise_for_status()
        workflow_id = made.json()["id"]
        listed = requests.get(f"{self.url}/api/v1/triggers/workflow/{workflow_id}", headers=headers, timeout=30)
        return workflow_id, f"/webhook/{listed.json()[0]['webhookToken']}"


@contextmanager
def running(home: Path, environment: dict[str, str] | None = None) -> Iterator[Product]:
    """Run an instance for the length of a `with` block; it is ready when the block begins."""
    port = free_port()
    settings = own_environment(home) | {"PORT": str(port)} | (environment or {})
    home.mkdir(parents=True, exist_ok=True)
    with (home / "console.log").open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "flowforge", "run"],
            env=settings,
            stdout=console,
            stderr=subprocess.STDOUT,
            preexec_fn=ending_with_us(signal.SIGTERM),
        )
        product = Product(process, port, home)
        try:
            wait_until_ready(product)
            yield product
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def own_environment(home: Path) -> dict[str, str]:
    """The environment of an instance that is measured, without what is set for others on this machine."""
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
        "FLOWFORGE_HOME": str(home),
        "ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        "AUTH_RATE_LIMIT": "1000/minute",
    }


def wait_until_ready(product: Product) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and product.process.poll() is None:
        try:
            if requests.get(f"{product.url}/health/ready", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"FlowForge did not get ready: {(product.home / 'console.log').read_text()[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
