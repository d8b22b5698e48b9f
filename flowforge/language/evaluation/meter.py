"""Bounds of what an expression costs: every operation whose cost depends on data pays before it does the work.

A payload may be large and an expression hostile: forty filters over a megabyte, text built to double at each term.
Work is counted in nanoseconds, estimated on the high side, so that the same expression on the same data always has
the same outcome: nothing here looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flowforge.file_values import AnyFile, StoredFile

EXPRESSIONS = 1_000
"""Expressions that a step may have."""
MEMORY = 8_000_000
"""Bytes that all expressions of one step may make, together."""
EXPRESSION_WORK = 12_000_000
"""Estimated nanoseconds of one expression. Well under the promised 50 ms: machines differ, and are busy."""
STEP_WORK = 120_000_000
"""Estimated nanoseconds of all expressions of one step, together."""


UTC_NAME = "UTC"


class FileAccess(Protocol):
    """What the expressions of a step may do with files. Both raise Failure."""

    def read(self, file: StoredFile) -> bytes:
        """The content."""

    def link(self, file: AnyFile, seconds: int) -> str:
        """An address at which anybody reads the file, for so many seconds."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one step may cost."""

    whose: str
    """What it is for, in a message."""
    memory: int
    """Bytes that may be made."""
    work: int
    """Estimated nanoseconds of one piece of work."""
    whole_work: int
    """Estimated nanoseconds of all of them together."""


EXPRESSIONS_OF_A_STEP = Allowance("the expressions of a step", MEMORY, EXPRESSION_WORK, STEP_WORK)


class Failure(Exception):
    """An expression has no value, for the reason in the text. Never quotes data: it may be a secret.

    `blamed`: the name in the expression that is wrong, where it is one.
    """

    def __init__(self, message: str, blamed: str = "") -> None:
        super().__init__(message)
        self.blamed = blamed


class Meter:
    """Counts what one step's expressions cost, and refuses what is too much."""

    __slots__ = ("_allowance", "_expressions", "_memory", "_paid_once", "_step_work", "_work", "files", "zone")

    def __init__(
        self, files: FileAccess | None = None, allowance: Allowance = EXPRESSIONS_OF_A_STEP, zone: str = UTC_NAME
    ) -> None:
        self.files = files
        """None where expressions may not use any."""
        self.zone = zone
        """The time zone where a filter is given none."""
        self._allowance = allowance
        self._memory = allowance.memory
        self._step_work = allowance.whole_work
        self._expressions = EXPRESSIONS
        self._work = 0
        self._paid_once: set[str] = set()

    def begin_expression(self) -> None:
        """Raises Failure when the step has had enough of them."""
        self._expressions -= 1
        if self._expressions < 0:
            raise Failure(f"a step may have {EXPRESSIONS:,} expressions")
        self.begin_work()

    def begin_work(self) -> None:
        """Begin another piece of work, with what is left for it."""
        self._work = min(self._allowance.work, self._step_work)

    def work(self, nanoseconds: int) -> None:
        """Pay for work about to be done. Raises Failure when it is more than is left."""
        self._work -= nanoseconds
        self._step_work -= nanoseconds
        if self._work < 0:
            raise Failure("too much work: the data is too large for what is done with it")

    def work_once(self, name: str, nanoseconds: int) -> None:
        """Pay for making something that is then remembered. Raises Failure when it is more than is left."""
        if name not in self._paid_once:
            self.work(nanoseconds)
            self._paid_once.add(name)

    def memory(self, size: int) -> None:
        """Pay for bytes about to be made. Raises Failure when they are more than is left."""
        self._memory -= size
        if self._memory < 0:
            most = self._allowance.memory // 1_000_000
            raise Failure(f"too large: {self._allowance.whose} may make {most} MB of data")
