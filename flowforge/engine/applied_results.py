"""Results that the orchestrator has applied before it published them: when they come back to it, they are old news."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from flowforge.events import ExecutionResult

_REMEMBERED = 20_000
"""What is forgotten costs a look into PostgreSQL, nothing else."""

_Key = tuple[UUID, int, int, int | None]


class AppliedResults:
    def __init__(self) -> None:
        self._keys: OrderedDict[_Key, object] = OrderedDict()

    def add(self, results: Sequence[ExecutionResult]) -> None:
        self._keys.update(dict.fromkeys(map(_key, results)))
        while len(self._keys) > _REMEMBERED:
            self._keys.popitem(last=False)

    def without(self, results: Sequence[ExecutionResult]) -> list[ExecutionResult]:
        """Those that are news; the others are forgotten, since they come back once."""
        return [result for result in results if self._keys.pop(_key(result), _NEWS) is _NEWS]


_NEWS = object()


def _key(result: ExecutionResult) -> _Key:
    return (result.execution_id, result.step_index, result.iteration, result.attempt)
