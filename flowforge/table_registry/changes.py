"""Data tables as people and clients request them, read from their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flowforge.data_tables.columns import WantedColumn, is_name, name_problem
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.field_reader import FieldReader
from flowforge.sentences import Count, sentence

MOST_DAYS = 36_600


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table as somebody wants it. `key`: the name of the column by which rows are known; None: there is none.
    `expire_after`: days after which new rows expire; None: never."""

    name: str
    columns: Sequence[WantedColumn]
    key: str | None = None
    expire_after: int | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        name = fields.require("name", str, sentence("must be a text"))
        key = fields.take("key", str, sentence("must be the name of a column"))
        days = fields.take(
            "expireAfter",
            int,
            sentence("must be 1 to %(most)s days", most=Count(MOST_DAYS)),
            lambda n: 1 <= n <= MOST_DAYS,
        )
        problems = [*fields.problems]
        if name is not None and not is_name(name):
            problems.append(name_problem("/name"))
        columns = _columns(raw.get("columns"), problems)
        raise_any(problems)
        return cls(name or "", columns, key or None, days)


def _columns(raw: Any, problems: list[Problem]) -> Sequence[WantedColumn]:
    try:
        return WantedColumn.read_all(raw)
    except Invalid as error:
        problems += error.problems
        return ()
