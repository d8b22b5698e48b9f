"""Looking at the statements that something sends to PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def counting_statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent inside the block."""
    sent: list[str] = []
    with _listening(engine, lambda statement, _: sent.append(statement)):
        yield sent


@contextmanager
def counting_rows(engine: Engine) -> Iterator[list[int]]:
    """Of each query that is sent inside the block, in order: how many rows it takes out of a table and its indexes, at
    the most in one node of its plan."""
    rows: list[int] = []
    sent: list[tuple[str, Any]] = []
    with _listening(engine, lambda *query: sent.append(query)):
        yield rows
    with engine.connect() as connection:
        for statement, parameters in sent:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                [plan] = connection.exec_driver_sql(explain, parameters).scalar_one()
                rows.append(max(rows_of(plan["Plan"])))


def rows_of(node: dict[str, Any]) -> list[int]:
    """The rows that a node of a plan, and each of those below it, takes out of a table."""
    here = [int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])]
    below = [count for child in node.get("Plans", []) for count in rows_of(child)]
    return (here if "Relation Name" in node else [0]) + below


@contextmanager
def _listening(engine: Engine, note: Callable[[str, Any], None]) -> Iterator[None]:
    """Tell `note` of each statement and its parameters."""

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        note(statement, parameters)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", hear)
