"""FOR_EACH over 1,000, 10,000 and 100,000 items: time, memory and table size for each item should not grow with their
number. `python -m bench.loops [items ...]`"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.product import Product, running

SIZES = (1_000, 10_000, 100_000)
LONGEST_SECONDS = 1_800.0

LOOP = {
    "type": "FOR_EACH",
    "config": {"items": "{{ trigger.items }}", "concurrency": 100, "collect": "{{ item }}"},
    "actions": [{"type": "TRANSFORM", "config": {"output": {"double": "{{ item * 2 }}"}}}],
}


def measure(product: Product, sizes: list[int]) -> None:
    headers = product.register()
    made = requests.post(
        f"{product.url}/api/v1/workflows", json={"name": "loop", "actions": [LOOP]}, headers=headers, timeout=30
    ).json()
    print(f"{'items':>8}{'seconds':>10}{'items/s':>10}{'ms/item':>10}{'most memory of a process, MB':>32}")
    for size in sizes:
        seconds, memory = _run(product, headers, made["id"], size)
        print(f"{size:>8,}{seconds:>10.1f}{size / seconds:>10.0f}{seconds / size * 1000:>10.2f}{memory / 1e6:>32.0f}")


def _run(product: Product, headers: dict[str, str], workflow_id: str, size: int) -> tuple[float, int]:
    begun = time.perf_counter()
    started = requests.post(
        f"{product.url}/api/v1/workflows/{workflow_id}/run",
        json={"items": list(range(size))},
        headers=headers,
        timeout=60,
    )
    started.raise_for_status()
    memory = 0
    while time.perf_counter() - begun < LONGEST_SECONDS:
        memory = max(memory, *(_memory(process) for process in product.processes()))
        shown = _shown(product, headers, started.json()["executionId"])
        if shown.get("finishedAt"):
            if shown["status"] != "COMPLETED":
                raise RuntimeError(f"the loop did not complete: {shown['error']}")
            return time.perf_counter() - begun, memory
        time.sleep(0.2)
    raise RuntimeError(f"{size} items took longer than {LONGEST_SECONDS:g} s")


def _shown(product: Product, headers: dict[str, str], execution_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = requests.get(
        f"{product.url}/api/v1/executions/{execution_id}", headers=headers, timeout=30
    ).json()
    return shown


def _memory(process: psutil.Process) -> int:
    """Memory of FlowForge's own processes, without PostgreSQL's, which share one large block."""
    try:
        return 0 if process.name() == "postgres" else int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder, running(Path(folder) / "home") as product:
        measure(product, sizes)


if __name__ == "__main__":
    main()
