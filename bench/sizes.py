"""Bytes for an execution of a workflow of HTTP calls: of every table and its indexes, of the write-ahead log, and of
Valkey's append-only file.

`python -m bench.sizes [EXECUTIONS [CALLS]]`. Tables are measured twice: after the load, and after VACUUM FULL, which
leaves what the rows need and not what their updates have left behind.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import requests
from redis import Redis

from bench.product import Product, running
from bench.receiver import Receiver

EXECUTIONS = 1000
CALLS = 4
CLIENTS = 8
NOTE = "x" * 400
LONGEST_SECONDS = 300

_SIZES = """
    SELECT schemaname || '.' || relname, pg_table_size(relid), pg_indexes_size(relid)
    FROM pg_stat_user_tables
"""
_WRITTEN = "SELECT wal_records, wal_bytes, wal_fpi FROM pg_stat_wal"
_ENDED = "SELECT count(*) FROM orchestrator.workflow_executions WHERE finished_at IS NOT NULL"
_LOGGED = "SELECT count(*) FROM logbook.execution_logs"


@dataclass(frozen=True)
class Size:
    table: int
    """Bytes, with what is stored apart (TOAST)."""
    indexes: int

    def since(self, before: Size) -> Size:
        return Size(self.table - before.table, self.indexes - before.indexes)

    @property
    def total(self) -> int:
        return self.table + self.indexes


@dataclass(frozen=True)
class Written:
    """What has been written so far, whether it is still there or not."""

    records: int
    bytes: int
    """Of the write-ahead log."""
    pages: int
    """Whole pages of up to 8 KB in the write-ahead log: each that is changed for the first time since a checkpoint."""
    commands: int
    """Bytes of Valkey's append-only file."""

    def since(self, before: Written) -> Written:
        return Written(
            self.records - before.records,
            self.bytes - before.bytes,
            self.pages - before.pages,
            self.commands - before.commands,
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EXECUTIONS
    calls = int(sys.argv[2]) if len(sys.argv) > 2 else CALLS
    with (
        tempfile.TemporaryDirectory(prefix="flowforge-bench-") as home,
        running(Path(home)) as product,
        _receiving() as receiver,
        closing(psycopg2.connect(f"host={home}/postgres user=dev dbname=devdb")) as database,
    ):
        database.autocommit = True
        path = _webhook(product, receiver, calls)
        empty, before = _sizes(database), _written(database, Path(home))
        _execute(product, path, count)
        _wait_until_written(database, count)
        used, after = _sizes(database), _written(database, Path(home))
        _ask(database, "VACUUM FULL")
        print(f"bytes for one execution of {calls} HTTP calls, from {count:,} executions")
        _print(count, _grown(empty, used), _grown(empty, _sizes(database)))
        _print_written(count, after.since(before))


@contextmanager
def _receiving() -> Iterator[Receiver]:
    """A receiver on a loop of its own."""
    receiver, loop = Receiver(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(receiver.start(), loop).result()
    yield receiver
    asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def _webhook(product: Product, receiver: Receiver, calls: int) -> str:
    """The path of a webhook whose workflow makes so many calls."""
    _, path = product.webhook_workflow(product.register(), [receiver.action()] * calls)
    return path


def _execute(product: Product, path: str, count: int) -> None:
    def send(order: int) -> None:
        requests.post(product.url + path, json={"order": order, "note": NOTE}, timeout=30).raise_for_status()

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(count)))


def _wait_until_written(database: Any, count: int) -> None:
    """All executions have ended, and the log has grown no more for a moment."""
    deadline, lines = time.monotonic() + LONGEST_SECONDS, -1
    while time.monotonic() < deadline:
        time.sleep(1)
        before, lines = lines, _ask(database, _LOGGED)[0][0]
        if _ask(database, _ENDED)[0][0] >= count and lines == before:
            return
    raise RuntimeError(f"{count} executions did not end within {LONGEST_SECONDS} s")


def _sizes(database: Any) -> dict[str, Size]:
    return {name: Size(table, indexes) for name, table, indexes in _ask(database, _SIZES)}


def _written(database: Any, home: Path) -> Written:
    """What PostgreSQL and Valkey have written; PostgreSQL's processes report it a moment later."""
    time.sleep(2)
    valkey = Redis(unix_socket_path=str(home / "valkey" / "valkey.sock"))
    [(records, size, pages)] = _ask(database, _WRITTEN)
    return Written(records, int(size), pages, valkey.info("persistence")["aof_current_size"])


def _ask(database: Any, statement: str) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def _grown(before: dict[str, Size], after: dict[str, Size]) -> dict[str, Size]:
    return {name: size.since(before.get(name, Size(0, 0))) for name, size in after.items()}


def _print(count: int, used: dict[str, Size], needed: dict[str, Size]) -> None:
    print(f"{'':<38}{'table':>8}{'indexes':>9}{'total':>8}{'with what updates left':>24}")
    for name, size in sorted(needed.items(), key=lambda entry: -used[entry[0]].total):
        if used[name].total >= count:
            _print_row(count, name, size, used[name])
    _print_row(count, "all tables", _sum(needed), _sum(used))


def _print_row(count: int, name: str, needed: Size, used: Size) -> None:
    columns = (needed.table, needed.indexes, needed.total)
    print(
        f"{name:<38}{columns[0] / count:>8,.0f}{columns[1] / count:>9,.0f}{columns[2] / count:>8,.0f}"
        f"{used.total / count:>24,.0f}"
    )


def _print_written(count: int, written: Written) -> None:
    print(
        f"write-ahead log: {written.bytes / count:,.0f} in {written.records / count:.1f} records, with"
        f" {written.pages / count:.2f} whole pages; Valkey's append-only file: {written.commands / count:,.0f}"
    )


def _sum(sizes: dict[str, Size]) -> Size:
    return Size(sum(size.table for size in sizes.values()), sum(size.indexes for size in sizes.values()))


if __name__ == "__main__":
    main()
