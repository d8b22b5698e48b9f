"""The work of all operations of a step, one after another, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.lists.operation import ListOperation
from flowforge.language.evaluation.meter import Allowance, Failure, Meter

_ALLOWANCE = Allowance("the operations of a step", memory=100_000_000, work=1_000_000_000, whole_work=2_000_000_000)


def work_on_list(members: list[Any], operations: Sequence[ListOperation]) -> list[Any]:
    """The list after all of them. Raises ConnectorError, which names the operation."""
    meter = Meter(allowance=_ALLOWANCE)
    for number, operation in enumerate(operations):
        meter.begin_work()
        try:
            members = operation.apply(members, meter)
        except Failure as error:
            raise ConnectorError(f"operations.{number}: {error}", permanent=True) from error
    return members
