"""Results that the orchestrator has applied before it published them: when they come back, they are nothing new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from flowforge.events import ExecutionResult

_REMEMBERED = 20_000
"""A result that is forgotten costs a look into PostgreSQL, nothing else."""


class RecentResults:
    """The results that this process has applied and published last."""

    def __init__(self) -> None:
        self._applied: OrderedDict[object, None] = OrderedDict()

    def add(self, results: Sequence[ExecutionResult]) -> None:
        self._applied.update(dict.fromkeys(map(_key, results)))
        while len(self._applied) > _REMEMBERED:
            self._applied.popitem(last=False)

    def drop_applied(self, results: Sequence[ExecutionResult]) -> list[ExecutionResult]:
        """Returns the others. Those that were applied are forgotten, since they come back once."""
        return [result for result in results if not self._forget(result)]

    def _forget(self, result: ExecutionResult) -> bool:
        key = _key(result)
        applied = key in self._applied
        self._applied.pop(key, None)
        return applied


def _key(result: ExecutionResult) -> object:
    return result.execution_id, result.step_index, result.iteration, result.attempt
