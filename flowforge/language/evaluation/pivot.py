"""Tables turned: the values of one field become columns."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.lenient_values import hashed
from flowforge.language.evaluation.measures import measure
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import to_text

_MOST_COLUMNS = 1_000
_CELL_NANOSECONDS = 1_000
_CELL_BYTES = 120


def pivot(
    meter: Meter, rows: tuple[str, list[Any]], columns: list[Any], amounts: list[Any], measure_name: str
) -> list[JsonObject]:
    """A record for each value of `rows`, a name and the value of each member; in it a field for each value of `columns`
    with the measure of its amounts. Raises Failure where there are too many."""
    name, row_values = rows
    names = {key: to_text(value, meter) for key, value in zip(hashed(meter, columns), columns, strict=True)}
    if len(names) > _MOST_COLUMNS:
        raise Failure(f"pivot: there would be {len(names):,} columns; at most {_MOST_COLUMNS:,} are allowed")
    row_keys = hashed(meter, row_values)
    heads = dict(zip(reversed(row_keys), reversed(row_values), strict=True))
    _pay_for_cells(meter, len(heads) * (len(names) + 1) + len(amounts))
    cells: dict[Any, dict[Any, list[Any]]] = {row: {column: [] for column in names} for row in dict.fromkeys(row_keys)}
    for row, column, amount in zip(row_keys, hashed(meter, columns), amounts, strict=True):
        cells[row][column].append(amount)
    return [
        {name: heads[row]} | {names[column]: measure(meter, measure_name, found) for column, found in of_row.items()}
        for row, of_row in cells.items()
    ]


def _pay_for_cells(meter: Meter, count: int) -> None:
    meter.work(count * _CELL_NANOSECONDS)
    meter.memory(count * _CELL_BYTES)
