"""What users feel of the speed, on this machine: `python -m bench [NAME...]`, all of it or the benches that are named.

The machine is shared by callers, receivers and databases. Each bench has an instance of its own; STACK=kafka puts
Apache Kafka and MongoDB in the place of the embedded servers.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench import answers, cpu, hanging, idle, rates
from bench.product import Product, running
from bench.stack import stack

BENCHES: dict[str, Callable[[Product], Coroutine[Any, Any, None]]] = {
    "open": rates.open_loop,
    "closed": rates.closed_loops,
    "answers": answers.at_half_the_rate,
    "cpu": cpu.measure,
    "hanging": hanging.innocent,
    "idle": idle.measure,
}


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHES)
    if unknown := set(chosen) - set(BENCHES):
        raise SystemExit(f"{', '.join(sorted(unknown))}: there are {', '.join(BENCHES)}")
    name = os.environ.get("STACK", "embedded")
    for bench in chosen:
        print(f"\n{bench}; stack: {name}; load of the machine before: {os.getloadavg()[0]:.1f}", flush=True)
        with (
            tempfile.TemporaryDirectory(prefix="flowforge-bench-") as folder,
            stack(name, Path(folder)) as settings,
            running(Path(folder) / "home", settings) as product,
        ):
            asyncio.run(BENCHES[bench](product))


if __name__ == "__main__":
    main()
