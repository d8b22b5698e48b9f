"""What many values come to: their number, sum, mean, and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from flowforge.language.evaluation.lenient_values import numbers, orders
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.names import hint
from flowforge.language.evaluation.operators import ARITHMETIC, add

MeasureName = Literal["count", "sum", "average", "min", "max", "first", "last", "list"]


def measure(meter: Meter, name: str, values: list[Any]) -> Any:
    """What the values come to; null and empty ones count for nothing, and of none there is null, or a count or sum of
    0. Raises Failure, also for a measure that there is not."""
    if name not in _MEASURES:
        raise Failure(f"there is no measure of that name{hint(name, get_args(MeasureName))}")
    return _MEASURES[name](meter, [value for value in values if value is not None and value != ""])


def _sum(meter: Meter, values: list[Any]) -> Any:
    total: Any = 0
    for value in numbers(meter, values, "sum"):
        total = add(meter, total, value)
    return total


def _average(meter: Meter, values: list[Any]) -> Any:
    return ARITHMETIC["div"](meter, _sum(meter, values), len(values)) if values else None


def _extreme(choose: Callable[..., Any]) -> Callable[[Meter, list[Any]], Any]:
    def find(meter: Meter, values: list[Any]) -> Any:
        found = orders(meter, values)
        return values[choose(range(len(values)), key=found.__getitem__)] if values else None

    return find


_MEASURES: Mapping[str, Callable[[Meter, list[Any]], Any]] = {
    "count": lambda _, values: len(values),
    "sum": _sum,
    "average": _average,
    "min": _extreme(min),
    "max": _extreme(max),
    "first": lambda _, values: values[0] if values else None,
    "last": lambda _, values: values[-1] if values else None,
    "list": lambda _, values: values,
}
