"""A parent and its forked children, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PARENT = """
import os, sys, time
from pathlib import Path
from workers.prefork import Child, Prefork, start_children_on_demand

folder = Path(sys.argv[1])

def note(name):
    with (folder / name).open("a") as file:
        file.write("run\\n")

def on_demand():
    note("on demand")

def asks_when_told():
    note("asks")
    while True:
        if (folder / "ask").exists():
            (folder / "ask").unlink()
            start_children_on_demand()
        time.sleep(0.02)

def fails_once():
    note("fails")
    if len((folder / "fails").read_text().splitlines()) == 1:
        raise ValueError("the first time")
    time.sleep(60)

def ends():
    note("ends")

def no_room():
    note("no room")
    os.fork = fork
    raise BlockingIOError("no more processes")

fork = os.fork
if sys.argv[2] == "no room":
    os.fork = no_room
kinds = {"asks": [Child("on demand", on_demand, on_demand=True), Child("asks", asks_when_told)],
         "fails": [Child("fails", fails_once)], "ends": [Child("ends", ends)],
         "no room": [Child("first", ends), Child("second", lambda: note("second"))]}
Prefork(kinds[sys.argv[2]]).run()
"""


@contextmanager
def parent(folder: Path, kind: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(folder), kind], cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(10) == 0


def runs(folder: Path, name: str) -> int:
    """How often the child has begun."""
    file = folder / name
    return len(file.read_text().splitlines()) if file.exists() else 0


class TestOnDemand:
    def test_it_runs_once_each_time_it_is_asked_for(self, tmp_path: Path) -> None:
        with parent(tmp_path, "asks"):
            eventually(lambda: runs(tmp_path, "asks"))
            assert runs(tmp_path, "on demand") == 0
            for times in (1, 2):
                (tmp_path / "ask").touch()
                eventually(lambda: runs(tmp_path, "on demand") == times)  # noqa: B023


class TestEnds:
    @pytest.mark.parametrize("kind", ["fails", "ends"])
    def test_a_child_that_ends_is_started_again(self, tmp_path: Path, kind: str) -> None:
        with parent(tmp_path, kind):
            eventually(lambda: runs(tmp_path, kind) >= 2)

    def test_one_that_cannot_be_started_is_started_later(self, tmp_path: Path) -> None:
        with parent(tmp_path, "no room"):
            eventually(lambda: runs(tmp_path, "second") and runs(tmp_path, "ends"))
            assert runs(tmp_path, "no room") == 1

    def test_ctrl_c_ends_all(self, tmp_path: Path) -> None:
        with parent(tmp_path, "asks") as process:
            eventually(lambda: runs(tmp_path, "asks"))
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
