"""Servers that tests start are gone with the test process, however that one ends, and so are their folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.services.folders import temporary_folder
from tests.services.processes import start_server
from tests.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended"),
]

PROJECT = Path(__file__).resolve().parents[2]
SERVERS = {"postgres", "valkey-server"}
A_LONG_TEST = """
import time
from tests.services.embedded import running_postgres, running_valkey

def test_that_takes_long(tmp_path):
    with running_postgres(), running_valkey(tmp_path):
        time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder("flowforge-test-") as path:
        yield path


@contextmanager
def run_of_pytest(folder: Path, *options: str) -> Iterator[psutil.Process]:
    """A run of pytest of its own, in the middle of a test that uses PostgreSQL and Valkey."""
    (folder / "test_long.py").write_text(A_LONG_TEST)
    plugins = ["-p", "no:cacheprovider", "-c", str(PROJECT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *plugins, f"--rootdir={PROJECT}", *options, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)}
    with (folder / "log").open("wb") as log:
        pytest_run = start_server(command, log, env=environment, cwd=folder, start_new_session=True)
        try:
            yield psutil.Process(pytest_run.pid)
        finally:
            pytest_run.kill()
            pytest_run.wait(10)


def servers_below(process: psutil.Process) -> list[psutil.Process]:
    """All of its descendants, once every server is among them."""
    try:
        below = process.children(recursive=True)
        return below if {child.name() for child in below} >= SERVERS else []
    except psutil.NoSuchProcess:  # a program of the set-up has just ended
        return []


def assert_all_end(processes: list[psutil.Process], folder: Path) -> None:
    _gone, left = psutil.wait_procs(processes, timeout=20)
    for process in left:
        process.kill()
    assert [process.name() for process in left] == []
    eventually(lambda: not folders_of_servers(folder))


def folders_of_servers(folder: Path) -> list[Path]:
    return list(folder.glob("flowforge-tests-*"))


def test_when_it_is_killed(folder: Path) -> None:
    with run_of_pytest(folder, "-n0") as process:
        started = eventually(lambda: servers_below(process), seconds=150, every=0.1)
        assert folders_of_servers(folder)
        process.kill()
        assert_all_end(started, folder)


def test_when_a_parallel_one_is_killed(folder: Path) -> None:
    with run_of_pytest(folder, "-n1", "--max-worker-restart=0") as process:
        started = eventually(lambda: servers_below(process), seconds=150, every=0.1)
        assert folders_of_servers(folder)
        process.children()[0].kill()
        assert_all_end(started, folder)
