"""What a step holds in memory beyond its message: the config it is called with, the answer that comes, its output."""

from __future__ import annotations

from typing import Literal, Protocol

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.in_thread import SMALL_BYTES
from flowforge.connectors.memory import Memory
from flowforge.connectors.memory import Uncounted as UncountedAnswers
from flowforge.db.attempt_rows import AttemptKey
from flowforge.engine.held_attempts import HeldAttempts


class StepMemory(Memory, Protocol):
    """Bytes of JSON; `SMALL_BYTES` of each part count for nothing."""

    def hold_config(self, size: int) -> None:
        """Counts the config with its expressions computed. Raises ConnectorError as `hold_answer` does."""

    def hold_output(self, size: int) -> None:
        """Counts the output, until it is handed in, instead of all else. Never refused: the call has been made."""


class Uncounted(UncountedAnswers):
    """That of a step that no executor holds."""

    def hold_config(self, size: int) -> None:
        pass

    def hold_output(self, size: int) -> None:
        pass


class HeldMemory:
    """That of a step that an executor holds; given back when the step is held no more."""

    __slots__ = ("_answer", "_config", "_held", "_key")

    def __init__(self, held: HeldAttempts, key: AttemptKey) -> None:
        self._held = held
        self._key = key
        self._config = 0
        self._answer = 0

    def hold_config(self, size: int) -> None:
        self._require(_counted(size) - self._config, "config")
        self._config = _counted(size)

    def hold_answer(self, size: int) -> None:
        self._require(_counted(size) - self._answer, "answer")
        self._answer = _counted(size)

    def hold_output(self, size: int) -> None:
        self._held.resize(self._key, _counted(size) - self._config - self._answer)
        self._config, self._answer = 0, _counted(size)

    def _require(self, more: int, part: Literal["config", "answer"]) -> None:
        if more and not self._held.resize_if_room(self._key, more):
            raise ConnectorError(
                f"the step's {part} is large, and other steps of this workflow or account hold their share of the"
                " executor's memory; it is tried again later",
                permanent=False,
            )


def _counted(size: int) -> int:
    return size if size > SMALL_BYTES else 0
