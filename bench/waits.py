"""10,000 executions that wait for the same moment, or for moments spread over some seconds: how late they go on.
`python -m bench.waits [count [seconds]]`"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bench.product import Product, running
from flowforge import jsonio

COUNT = 10_000
SECONDS_FOR_EACH = 0.02
"""Of the time in which all have to be accepted."""


def measure(product: Product, count: int, spread: float) -> None:
    headers = product.register()
    wait = {"type": "WAIT", "config": {"until": "{{ trigger.body.until }}"}}
    workflow_id, path = product.webhook_workflow(headers, [wait])
    until = datetime.now(UTC) + timedelta(seconds=10 + count * SECONDS_FOR_EACH)
    moments = [until + timedelta(seconds=spread * number / count) for number in range(count)]
    _call(product.url + path, [{"until": jsonio.format_time(moment)} for moment in moments])
    print(f"{count:,} wait; their time comes in {(until - datetime.now(UTC)).total_seconds():.0f} s")
    time.sleep(max(0.0, (moments[-1] - datetime.now(UTC)).total_seconds()) + 5)
    late = _lateness(product, headers, workflow_id, count)
    cuts = statistics.quantiles(late, n=100)
    print(f"late by: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, last {max(late):.2f} s ({len(late):,} of {count:,})")


def _call(url: str, bodies: list[dict[str, Any]]) -> None:
    session = requests.Session()

    def call(body: dict[str, Any]) -> None:
        session.post(url, json=body, timeout=30).raise_for_status()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, bodies))


def _lateness(product: Product, headers: dict[str, str], workflow_id: str, count: int) -> list[float]:
    """Seconds that every execution was late; waits until all are over."""
    deadline = time.perf_counter() + 300
    while True:
        found = _all(product, headers, workflow_id)
        ended = [one for one in found if one["finishedAt"]]
        if len(ended) >= min(count, 10_000):
            return [_late_by(one) for one in ended]
        if time.perf_counter() > deadline:
            raise RuntimeError(f"only {len(ended)} of {count} have ended")
        time.sleep(1)


def _late_by(execution: dict[str, Any]) -> float:
    due = jsonio.parse_time(execution["triggerPayload"]["body"]["until"])
    return (jsonio.parse_time(execution["finishedAt"]) - due).total_seconds()


def _all(product: Product, headers: dict[str, str], workflow_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = requests.get(
            f"{product.url}/api/v1/executions",
            params={"workflowId": workflow_id, "page": str(len(found) // 200), "size": "200"},
            headers=headers,
            timeout=60,
        ).json()
        found += page["content"]
        if page["last"] or not page["content"]:
            return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    spread = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder, running(Path(folder) / "home") as product:
        measure(product, count, spread)


if __name__ == "__main__":
    main()
