"""Real descriptions of APIs: how many of their operations can be used as actions, what is refused and why, and the time
and memory it takes to read them. `python scripts/fetch_descriptions.py` gets them, `python -m bench.descriptions`
measures them, or the files that are named."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

from flowforge.apis.description import Description
from flowforge.apis.form import form_schema
from flowforge.apis.operation import Operation, Unusable
from flowforge.apis.reading import read_description
from flowforge.apis.requests import build_request
from flowforge.apis.samples import sample_of
from flowforge.errors import Invalid

FETCHED = Path(__file__).parents[1] / ".descriptions"
OF_GOOGLE = ("drive.v3.json", "compute.v1.json")


@dataclass(frozen=True)
class Measured:
    name: str
    megabytes: float
    format: str
    operations: int
    usable: int
    with_request: int
    """Operations whose form, filled with samples, becomes a request. The others ask for more than a sample knows, as a
    pattern does."""
    refused: Counter[str]
    seconds_to_read: float
    cpu_to_read: float
    """Seconds of the processor alone: what counts on a machine that does other things, too."""
    memory: float
    """Megabytes that the process has more when the file has been read."""
    form_median: float
    form_worst: float
    """Milliseconds of the processor to make a form."""


def main() -> None:
    print(
        f"{'file':22}{'MB':>6}  {'format':17}{'operations':>10}{'usable':>8}{'requests':>9}"
        f"{'read s':>8}{'cpu s':>7}{'MB RAM':>8}{'form ms':>9}{'worst':>7}  refused"
    )
    for file in map(Path, sys.argv[1:] or files()):
        # A process for each: memory that one file took would be there for the next.
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            print(line(process.submit(measure, file).result()), flush=True)


def files() -> list[Path]:
    fetched = sorted(FETCHED.glob("*.json"))
    if not fetched:
        sys.exit("there are no descriptions: python scripts/fetch_descriptions.py")
    return [*fetched, *(google_folder() / name for name in OF_GOOGLE)]


def google_folder() -> Path:
    """Where google-api-python-client, which has to be installed, keeps Google's Discovery documents."""
    found = find_spec("googleapiclient")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "discovery_cache" / "documents"


def measure(file: Path) -> Measured:
    data = file.read_bytes()
    before, began, began_cpu = peak_memory(), time.perf_counter(), time.process_time()
    description = read_description(data, f"https://example.com/{file.name}")
    seconds, cpu, memory = time.perf_counter() - began, time.process_time() - began_cpu, peak_memory() - before
    operations = [operation for entry in description.entries if (operation := usable(description, entry.id))]
    times = [time_of_form(operation) for operation in operations]
    return Measured(
        name=file.name,
        megabytes=len(data) / 1e6,
        format=description.format,
        operations=len(description.entries),
        usable=len(operations),
        with_request=sum(map(can_be_requested, operations)),
        refused=Counter(refused.reason for refused in description.refused()),
        seconds_to_read=seconds,
        cpu_to_read=cpu,
        memory=memory,
        form_median=statistics.median(times or [0]),
        form_worst=max(times, default=0),
    )


def usable(description: Description, id_: str) -> Operation | None:
    try:
        return description.operation(id_)
    except Unusable:
        return None


def time_of_form(operation: Operation) -> float:
    """Milliseconds."""
    began = time.process_time()
    form_schema(operation)
    return (time.process_time() - began) * 1_000


def can_be_requested(operation: Operation) -> bool:
    try:
        build_request(operation, sample_of(form_schema(operation)), "https://example.com")
    except Invalid:
        return False
    return True


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def line(measured: Measured) -> str:
    refused = "; ".join(f"{count} × {reason}" for reason, count in measured.refused.most_common(3)) or "none"
    return (
        f"{measured.name[:21]:22}{measured.megabytes:6.1f}  {measured.format:17}{measured.operations:10,}"
        f"{measured.usable:8,}{measured.with_request:9,}{measured.seconds_to_read:8.2f}{measured.cpu_to_read:7.2f}{measured.memory:8.0f}"
        f"{measured.form_median:9.1f}{measured.form_worst:7.0f}  {refused}"
    )


if __name__ == "__main__":
    main()
