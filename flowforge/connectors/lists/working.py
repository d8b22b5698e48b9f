"""The work of a step on lists, within bounds: operations one after another, or a comparison."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.lists.differences import differences
from flowforge.connectors.lists.operation import ListOperation, Path
from flowforge.jsonio import JsonObject
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


def compare_lists(
    lists: tuple[list[Any], list[Any]], keys: tuple[list[Path], list[Path]], ignored: Collection[str]
) -> JsonObject:
    """What `differences` finds. Raises ConnectorError."""
    meter = Meter(allowance=_ALLOWANCE)
    meter.begin_work()
    try:
        return differences(meter, lists, keys, ignored)
    except Failure as error:
        raise ConnectorError(str(error), permanent=True) from error
