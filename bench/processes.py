"""What the processes of an instance use: time of the processor, and memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress

import psutil

from bench.product import Product
from flowforge.embedded.status import processes_of

SHOWN = ("web", "orchestrator", "executor", "log sink", "postgres", "valkey")
"""The processes that have a part in every execution; the others are added up."""
REST = "others"


def used_seconds(product: Product) -> dict[str, float]:
    """Seconds of the processor so far, by process; of children that have ended, too."""
    used: dict[str, float] = defaultdict(float)
    for name, family in processes_of(product.home).items():
        label = name.replace("-", " ")
        used[label if label in SHOWN else REST] += sum(map(_seconds, family))
    return used


def idle_seconds(cores: Collection[int] | None = None) -> float:
    """Seconds that these cores, or all, have had nothing to do so far, together."""
    times = dict(enumerate(psutil.cpu_times(percpu=True)))
    return float(sum(times[core].idle + times[core].iowait for core in (times if cores is None else cores)))


def resident_bytes(product: Product) -> dict[str, int]:
    """Memory now, by process; of several with the same name that of the largest. Without PostgreSQL's, which share one
    large block."""
    families = processes_of(product.home).items()
    return {
        name.replace("-", " "): max(map(_resident, family), default=0)
        for name, family in families
        if name != "postgres"
    }


def _seconds(process: psutil.Process) -> float:
    """Of one that has just ended, its parent tells."""
    with suppress(psutil.NoSuchProcess):
        return sum(process.cpu_times()[:4])
    return 0.0


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
