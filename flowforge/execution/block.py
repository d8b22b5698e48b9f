"""The behaviour of a block: how it is entered and, where it opens frames, how these go on and are collected.

Each file of flowforge/execution/blocks holds one, as `BEHAVIOUR`, under the name of the file that declares the block
(flowforge.language.block).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol

from flowforge.execution.commands import Effects
from flowforge.execution.state import EndedFrame, Frame, OpenBlock, Status
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Body, Step

Following = tuple[Body, Step | None] | None
"""The point where the execution goes on (no step: the end of that list); None where something is awaited first."""


class BlockFailed(ValueError):
    """The block fails; the text says why."""


class Machine(Protocol):
    """The services of the state machine (flowforge.execution.machine) for blocks."""

    effects: Effects
    result: Any

    @property
    def now(self) -> datetime: ...

    def value(self, frame: Frame, step: Step, value: Any, field: str) -> Any:
        """The value with its expressions resolved as the step sees them. Raises ExpressionError."""

    def config(self, frame: Frame, step: Step, *, outputs: int = 1) -> Any:
        """The step's config, parsed; fields that are evaluated inside are left as they are written. It may be as large
        as so many outputs. Raises ExpressionError, ConfigUnusable."""

    def open_block(
        self,
        frame: Frame,
        step: Step,
        items: Sequence[Any],
        *,
        at_once: int,
        reserved: int = 0,
        memory: Mapping[str, Any] | None = None,
    ) -> Following:
        """Opens a frame for each item, and begins `at_once` of them; `memory` is kept with the block. For a block that
        will add frames `reserved` says how many it may have in all. Raises ConfigUnusable where the execution would
        have too many."""

    def add_frame(self, block: OpenBlock, item: Any) -> None:
        """Opens one more frame for the block, behind those it has, and does not begin it."""

    def begin_frames(self, block: OpenBlock) -> None:
        """Begins as many frames as may run at once; ends the block where there is nothing left to do."""

    def begin_frames_later(self, block: OpenBlock, due_at: datetime) -> None:
        """Begins them at that time: until then the block rests."""

    def reject(self, frame: Frame, step: Step, message: str) -> Following:
        """Fails what the step stands in, whatever the step itself does about errors."""

    def last_output(self, frame: Frame, body: Body) -> Any:
        """The output of the last step of the list that has one."""

    def keepable(self, value: Any, what: str) -> Any:
        """The value itself, where it can be kept and carried on. Raises ConfigUnusable, which calls it `what`."""

    def error_of(self, step: Step, frame: Frame, message: str) -> JsonObject:
        """The error of a step that fails in that frame."""

    def end(self, status: Status, error: Mapping[str, Any] | None = None) -> None:
        """Ends the execution."""


class BlockBehaviour(ABC):
    """One block. It holds no state: that is in the frame, and in the open block."""

    name: ClassVar[str]
    """The name under which the block is declared."""

    @abstractmethod
    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        """Carries out the step. Raises ExpressionError, ConfigUnusable."""

    def leave(self, machine: Machine, frame: Frame, step: Step) -> Following:
        """The point where it goes on after the step has an output."""
        return step.body, step.next

    def intent(self, step: Step, config: Any, now: datetime) -> JsonObject:
        """The effect of entering the block now, as a preview shows it. `config` is the block's own, read; None for a
        block that has none."""
        return {} if config is None else config.model_dump(by_alias=True, mode="json")

    def body_taken(self, step: Step, output: Mapping[str, Any]) -> Body | None:
        """The list of steps that the block went into in its own frame, by the output it has."""
        return None


class Gathered(Enum):
    """The data that a block needs of the frames it has opened, when all of them are over."""

    NOTHING = "nothing"
    RESULTS = "results"
    OUTPUTS = "outputs"
    """Results, and the outputs of the steps."""


class FrameBehaviour(BlockBehaviour):
    """A block that runs what is inside it in frames of their own (docs/execution-states.md)."""

    @abstractmethod
    def body(self, step: Step, frame: Frame) -> Body:
        """The list that the frame runs."""

    @abstractmethod
    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        """The output of the block, when its frames are over: `ended` are those that were begun, by position. `frame` is
        the frame in which the block stands. Raises BlockFailed."""

    def gathered(self, step: Step) -> Gathered:
        """The data that `ended` holds of the frames; with NOTHING it is empty."""
        return Gathered.RESULTS

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        """The roots of expressions that exist only inside the block, in that frame of it."""
        return {}

    def position(self, frame: Frame) -> dict[str, int]:
        """The position of the frame, as the error of a step in it names it."""
        return {}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        """The result of a frame whose last step is over. Raises ExpressionError, ConfigUnusable."""
        return machine.last_output(frame, self.body(step, frame))

    def advance(self, machine: Machine, block: OpenBlock) -> None:
        """Goes on after a frame has completed."""
        machine.begin_frames(block)

    def evaluated(self, machine: Machine, frame: Frame, step: Step, field: str, otherwise: Any = None) -> Any:
        """The value of a field of the config that is evaluated inside, at the end of the frame; `otherwise` where it is
        not written. Raises ExpressionError, ConfigUnusable."""
        written = step.config.get(field)
        if written is None:
            return otherwise
        return machine.keepable(machine.value(frame, step, written, f"config.{field}"), f"what `{field}` gives")

    def tolerates_failure(self, step: Step) -> bool:
        """Whether the block goes on when one of its frames fails."""
        return False


class LoopInTurn(FrameBehaviour):
    """A loop whose frames are opened one after another. Of these nothing is kept, unless `collect` in its config says
    what."""

    def body(self, step: Step, frame: Frame) -> Body:
        return step.bodies[0]

    def gathered(self, step: Step) -> Gathered:
        return Gathered.RESULTS if _collects(step) else Gathered.NOTHING

    def with_results(self, step: Step, output: JsonObject, ended: Sequence[EndedFrame]) -> JsonObject:
        """The output, and what it has collected."""
        return {**output, "results": [one.result for one in ended]} if _collects(step) else output


def _collects(step: Step) -> bool:
    return step.config.get("collect") is not None
