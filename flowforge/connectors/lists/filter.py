"""filter: the members for which a condition holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.lists.operation import ListOperation, Path, values_at
from flowforge.fields import field
from flowforge.language.evaluation.lenient_values import hashed, order_of, orders
from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.operators import pay_for_search
from flowforge.language.evaluation.values import to_text

Condition = Literal[
    "equals", "differs", "greater", "atLeast", "less", "atMost", "contains", "lacks", "begins", "ends", "empty", "given"
]
_VERDICT_NANOSECONDS = 100
_EMPTY: tuple[Any, ...] = (None, "", [], {})


_LABELS = {
    "equals": "is",
    "differs": "is not",
    "greater": "is greater than",
    "atLeast": "is at least",
    "less": "is less than",
    "atMost": "is at most",
    "contains": "contains",
    "lacks": "does not contain",
    "begins": "starts with",
    "ends": "ends with",
    "empty": "is empty, or not there",
    "given": "is not empty",
}


class ListCondition(ConnectorConfig):
    model_config = ConfigDict(title="Condition")

    path: Path = field(
        "", alias="field", title="Field", description="name, or customer.name. Empty: the member itself."
    )
    condition: Condition = field("equals", title="Condition", labels=_LABELS, unary=("empty", "given"))
    value: Any = field(None, title="Value", description="A text that is a number is compared as one.")

    def hold(self, members: list[Any], meter: Meter) -> Iterable[bool]:
        """Whether it holds, for each member. Raises Failure."""
        return _HOLDS[self.condition](meter, values_at(meter, members, self.path), self.value)


class Filter(ListOperation, ListCondition):
    model_config = ConfigDict(title="Filter")

    do: Literal["filter"] = field(title="Operation")
    match: Literal["all", "any"] = field(
        "all",
        title="Of several conditions",
        labels={"all": "all have to hold", "any": "one has to hold"},
    )
    conditions: list[ListCondition] = field(
        [], title="Further conditions", description="Beside the one above, where that is given.", max_length=20
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        together = all if self.match == "all" else any
        columns = [list(condition.hold(members, meter)) for condition in self._conditions]
        meter.work(len(members) * len(columns) * _VERDICT_NANOSECONDS)
        return [
            member for member, verdicts in zip(members, zip(*columns, strict=True), strict=True) if together(verdicts)
        ]

    @property
    def _conditions(self) -> list[ListCondition]:
        """All that are given; its own, if nothing is said of it, only where there is no other."""
        is_given = not self.conditions or self.model_fields_set & ListCondition.model_fields.keys()
        return [self, *self.conditions] if is_given else self.conditions


Holds = Callable[[Meter, list[Any], Any], Iterable[bool]]


def _equals(meter: Meter, found: list[Any], value: Any) -> Iterable[bool]:
    [wanted] = hashed(meter, [value])
    return (key == wanted for key in hashed(meter, found))


def _ordered(compare: Callable[[Any, Any], bool]) -> Holds:
    """Values of different kinds, and those that are not there, are in no order."""

    def holds(meter: Meter, found: list[Any], value: Any) -> Iterable[bool]:
        wanted = order_of(value)
        for order in orders(meter, found):
            is_comparable = order is not None and wanted is not None and order[0] == wanted[0]
            yield is_comparable and compare(order, wanted)

    return holds


def _contains(meter: Meter, found: list[Any], value: Any) -> Iterable[bool]:
    """Text in text, or a member in a list."""
    sought, wanted = to_text(value, meter), hashed(meter, [value])[0]
    for each in found:
        if isinstance(each, list):
            yield wanted in hashed(meter, each)
        else:
            text = to_text(each, meter)
            pay_for_search(meter, text, sought)
            yield sought in text


def _written(compare: Callable[[str, str], bool]) -> Holds:
    def holds(meter: Meter, found: list[Any], value: Any) -> Iterable[bool]:
        wanted = to_text(value, meter)
        meter.work(len(found) * (1_000 + len(wanted)))
        return (compare(to_text(each, meter), wanted) for each in found)

    return holds


def _empty(meter: Meter, found: list[Any], _: Any) -> Iterable[bool]:
    meter.work(len(found) * 500)
    return (each in _EMPTY for each in found)


def _not(holds: Holds) -> Holds:
    return lambda meter, found, value: (not each for each in holds(meter, found, value))


_HOLDS: Mapping[Condition, Holds] = {
    "equals": _equals,
    "differs": _not(_equals),
    "greater": _ordered(operator.gt),
    "atLeast": _ordered(operator.ge),
    "less": _ordered(operator.lt),
    "atMost": _ordered(operator.le),
    "contains": _contains,
    "lacks": _not(_contains),
    "begins": _written(str.startswith),
    "ends": _written(str.endswith),
    "empty": _empty,
    "given": _not(_empty),
}
