"""The filters of expressions as functions for programs: dates in zones, texts, lists, hashes, base64, CSV.

What they cost is counted, since no limit on the program holds while they work.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowforge import jsonio
from flowforge.language.evaluation.meter import Allowance, Failure, Meter
from flowforge.language.evaluation.values import to_result
from flowforge.language.filters.all_filters import FILTERS, find_filter

_ALLOWANCE = Allowance("the filters of a program", memory=64_000_000, work=50_000_000, whole_work=1_000_000_000)
_CALL_WORK = 10_000
_BYTE_WORK = 5


def names() -> Iterable[str]:
    return FILTERS


class Library:
    """The functions of one run of a program."""

    def __init__(self) -> None:
        self._meter = Meter(allowance=_ALLOWANCE)

    def call(self, name: str, arguments: str) -> str:
        """Applies the filter to the first of the arguments, a list in JSON, with the others. The answer is JSON, too:
        `{"value": ...}`, or `{"error": ...}`."""
        try:
            return jsonio.dumps({"value": self._applied(name, arguments)}).decode()
        except Failure as failure:
            return jsonio.dumps({"error": f"filters.{name}: {failure}"}).decode()
        except (TypeError, ValueError) as error:
            return jsonio.dumps({"error": f"filters.{name}: {jsonio.writable(str(error))}"}).decode()

    def _applied(self, name: str, arguments: str) -> Any:
        self._meter.begin_work()
        self._meter.work(_CALL_WORK + len(arguments) * _BYTE_WORK)
        found, (value, *others) = find_filter(name), jsonio.loads(arguments) or [None]
        found.check_arguments(len(others), [])
        return to_result(found.compute(self._meter, value, *others))
