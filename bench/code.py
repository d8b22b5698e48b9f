"""Steps of code: milliseconds for each call, of the processor and of the clock, and memory. `python -m bench.code`"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from flowforge.code import languages
from flowforge.code.javascript import compiled
from flowforge.code.program import Limits, Program

ROWS = [{"id": n, "name": f"Customer {n}", "price": n * 1.5, "tags": ["a", "b"]} for n in range(1_000)]
PROGRAMS = [
    ("javascript", "nothing", "return 1", {}, 200),
    ("javascript", "1,000 objects", "return input.rows.map((row) => ({ ...row, total: row.price * 2 }))", ROWS, 50),
    ("javascript", "1,000 filters", "return input.rows.map((row) => filters.upper(row.name))", ROWS, 10),
    ("python", "nothing", "return 1", {}, 50),
    ("python", "1,000 objects", "return [{**row, 'total': row['price'] * 2} for row in input['rows']]", ROWS, 20),
]


def main() -> None:
    with TemporaryDirectory() as folder:
        compiled.keep_in(Path(folder) / "compiled")
        begun = time.perf_counter()
        call("javascript", "return 1", {})
        print(f"compiled in {time.perf_counter() - begun:.1f} s")
        for language, name, text, rows, times in PROGRAMS:
            measure(language, name, text, rows, times)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most")


def measure(language: str, name: str, text: str, rows: Any, times: int) -> None:
    call(language, text, rows)
    processor, clock = time.process_time(), time.perf_counter()
    for _ in range(times):
        call(language, text, rows)
    spent, passed = time.process_time() - processor, time.perf_counter() - clock
    print(f"{language:12}{name:16}{1000 * spent / times:8.1f} ms of the processor {1000 * passed / times:8.1f} ms")


def call(language: str, text: str, rows: Any) -> Any:
    program = Program(language, text, json.dumps({"rows": rows}).encode())
    return languages.run(program, Limits(30, time.monotonic() + 60, 10_000_000), uuid4(), lambda _level, _text: None)


if __name__ == "__main__":
    main()
