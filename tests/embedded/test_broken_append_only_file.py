"""An append-only file that Valkey cannot read is set aside, and told; the start goes on without it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from flowforge.embedded import valkey
from flowforge.embedded.append_only_file import set_aside
from flowforge.embedded.valkey import running_valkey
from tests.embedded.running import instance
from tests.waiting import eventually

Damage = Callable[[Path], object]


def file(folder: Path, pattern: str) -> Path:
    return next((folder / "valkey" / "appendonlydir").glob(pattern))


def append_rubbish(home: Path) -> None:
    with file(home, "*.incr.aof").open("ab") as written:
        written.write(os.urandom(300))


def insert_rubbish(home: Path) -> None:
    data = file(home, "*.incr.aof").read_bytes()
    middle = len(data) // 2
    file(home, "*.incr.aof").write_bytes(data[:middle] + os.urandom(500) + data[middle:])


def cut_off(home: Path) -> None:
    data = file(home, "*.incr.aof").read_bytes()
    file(home, "*.incr.aof").write_bytes(data[:-3])


DAMAGES: list[Damage] = [
    append_rubbish,
    insert_rubbish,
    lambda home: file(home, "*.manifest").write_bytes(b"rubbish\n"),
    lambda home: file(home, "*.base.rdb").write_bytes(b"rubbish\n"),
    lambda home: file(home, "*.base.rdb").unlink(),
]


def write_something(home: Path) -> None:
    with running_valkey(home) as url, Redis.from_url(url) as redis:
        for number in range(50):
            redis.set(f"key-{number}", "value")


def start_in_vain(home: Path) -> Path:
    """The log of a server that ends at once, as the supervisor starts it."""
    log = home / "valkey.log"
    with log.open("ab") as output:
        subprocess.run(valkey.prepare(home).command, stdout=output, stderr=output, timeout=20, check=False)
    return log


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_set_aside_and_the_next_start_succeeds(tmp_path: Path, damage: Damage) -> None:
    write_something(tmp_path)
    damage(tmp_path)
    aside = set_aside(tmp_path / "valkey", start_in_vain(tmp_path))
    assert aside is not None
    assert aside.is_dir()
    write_something(tmp_path)


def test_one_whose_end_is_missing_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    write_something(tmp_path)
    cut_off(tmp_path)
    with running_valkey(tmp_path) as url, Redis.from_url(url) as redis:
        assert redis.dbsize() == 49


def test_a_server_that_ends_for_something_else_keeps_it(tmp_path: Path) -> None:
    write_something(tmp_path)
    insert_rubbish(tmp_path)
    log = start_in_vain(tmp_path)
    assert set_aside(tmp_path / "valkey", log)
    write_something(tmp_path)  # it is well again, and then killed
    with log.open("ab") as output:
        output.write(b"1:M * oO0 Valkey is starting oO0\n1:M # Out of memory\n")
    assert set_aside(tmp_path / "valkey", log) is None


@pytest.mark.slow
def test_an_instance_starts_all_the_same_and_says_so(tmp_path: Path) -> None:
    with instance(tmp_path) as first:
        first.wait_until_ready()
    insert_rubbish(first.home)
    (first.home / "run" / "processes.json").write_text('[{"name": "x"}, 7]')
    with instance(tmp_path) as second:
        second.wait_until_ready()
        eventually(lambda: "set aside as" in second.output)
