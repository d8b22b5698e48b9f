"""Programs that run SQL over files, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.connectors import child
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.sql.columns import column_names
from flowforge.connectors.sql.session import Rows


@dataclass(slots=True)
class Answer:
    """What a program says."""

    rows: Rows
    changed: int = 0
    """How many rows were changed; known once all rows are read."""


@contextmanager
def running_sql(
    program: child.Program, request: Mapping[str, Any], dialer: Dialer, user_id: UUID, deadline: float
) -> Iterator[Answer]:
    """What a program answers, while it runs. Raises ConnectorError for what could not be done."""
    with child.running(program, request, dialer, user_id, deadline) as lines:
        yield _answer(lines)


def _answer(lines: Iterator[Any]) -> Answer:
    names = column_names([(name,) for name in next(lines)["columns"]])
    answer = Answer(Rows(names, iter(())))
    answer.rows = Rows(names, _until_the_end(lines, answer))
    return answer


def _until_the_end(lines: Iterator[Any], answer: Answer) -> Iterator[Any]:
    for line in lines:
        if isinstance(line, dict):
            answer.changed = line["changed"]
            return
        yield line
