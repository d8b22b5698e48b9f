"""Data tables: how long single writes and the ways of finding rows take in a table of many rows.

`python -m bench.tables [ROWS]` starts a PostgreSQL of its own; by default with 1,000,000 rows, made there.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge.connectors.tables import IfThere, NewRows, WantedPage, Which
from flowforge.data_tables.conditions import Operator, WantedCondition
from flowforge.db.data_tables_store import Limits
from flowforge.db.engine import make_engine, transaction
from flowforge.db.migrate import upgrade
from flowforge.embedded.postgres import running_postgres
from flowforge.errors import TooMuchAtOnce
from flowforge.kept_tables import AccountTables, KeptTable
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.tables import create_table

REPEATS = 5
_COLUMNS = [
    {"name": "sku", "type": "text"},
    {"name": "price", "type": "number"},
    {"name": "status", "type": "text"},
    {"name": "note", "type": "text"},
]
_FILL = """
    INSERT INTO data_tables.rows (table_id, id, key, data)
    SELECT :table, lpad(to_hex(n), 32, '0')::uuid, 'sku-' || n, jsonb_build_object(
               CAST(:sku AS text), 'sku-' || n, CAST(:price AS text), (n * 7919) % 100000 / 100.0,
               CAST(:status AS text), CASE WHEN n % 10 = 0 THEN 'open' ELSE 'done' END,
               CAST(:note AS text), md5(n::text))
      FROM generate_series(1, CAST(:rows AS bigint)) AS n
"""


@contextmanager
def filled_table(rows: int) -> Iterator[KeptTable]:
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as url:
        upgrade(url)
        engine = make_engine(url)
        yield _fill(engine, uuid4(), rows)
        engine.dispose()


def _fill(engine: Engine, owner: UUID, rows: int) -> KeptTable:
    with Session(engine) as session:
        made = create_table(session, owner, TableChange.read({"name": "stock", "columns": _COLUMNS, "key": "sku"}))
    ids = {column.name: column.id for column in made.columns}
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(_FILL), {"table": made.id, "rows": rows, **ids})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE data_tables.rows"))
    return AccountTables(partial(transaction, engine), owner, Limits(0, 0)).find("stock")


def ways(table: KeptTable, rows: int) -> Sequence[tuple[str, Callable[[], Any]]]:
    def find(*conditions: tuple[str, Operator, Any], **page: Any) -> Callable[[], Any]:
        wanted = [WantedCondition(*condition) for condition in conditions]
        return lambda: table.find(WantedPage(Which(conditions=wanted), limit=100, **page))

    new = iter(range(10**9))
    middle = f"sku-{rows // 2}"
    return [
        ("add a row", lambda: table.add(NewRows([{"sku": f"new-{next(new)}"}], "/values", True))),
        ("add, if new (is there)", lambda: table.add(NewRows([{"sku": middle}], "/values", True, IfThere.KEEP))),
        ("count one up", lambda: table.increment(Which(key=middle), "price", 1)),
        ("get by key", lambda: table.get(Which(key=middle))),
        ("the first 100", find()),
        ("equals, one row", find(("note", Operator.EQUALS, "c4ca4238a0b923820dcc509a6f75849b"))),
        ("equals, every tenth row", find(("status", Operator.EQUALS, "open"))),
        ("more than, half of the rows", find(("price", Operator.MORE, 500))),
        ("contains, no row", find(("note", Operator.CONTAINS, "nowhere"))),
        ("sorted by a number", find(sort="price", descending=True)),
        ("sorted, every tenth row", find(("status", Operator.EQUALS, "open"), sort="price")),
        ("count all", lambda: table.count(Which())),
    ]


def measure(way: Callable[[], Any]) -> str:
    """The median, in milliseconds."""
    taken: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        try:
            way()
        except TooMuchAtOnce:
            return "refused: takes too long"
        taken.append(time.perf_counter() - begun)
    return f"{statistics.median(taken) * 1000:8.1f} ms"


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    begun = time.perf_counter()
    with filled_table(rows) as table:
        print(f"{rows:,} rows, made in {time.perf_counter() - begun:.0f} s")
        for name, way in ways(table, rows):
            print(f"{name:30} {measure(way)}", flush=True)


if __name__ == "__main__":
    main()
