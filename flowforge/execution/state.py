"""The state of an execution: its own row, and the frames and blocks that are open inside it.

A *frame* is one run of a list of steps with outputs of its own: frame 0 is the workflow's list, the others are runs of
what is inside a block. An *open block* is the step whose frames they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flowforge.execution.retry import Failure
from flowforge.jsonio import JsonObject

ROOT = 0
"""The number of the workflow's own frame; `iteration` of its steps on the topics."""


class Status(StrEnum):
    """The status of an execution: the five values that contract.md, section 4, knows."""

    PENDING = "PENDING"  # accepted, not begun
    RUNNING = "RUNNING"  # a step is due, being tried, or waiting
    COMPLETED = "COMPLETED"  # every step succeeded
    FAILED = "FAILED"  # a step failed for good; `error` says why
    CANCELLED = "CANCELLED"  # a person or a limit has stopped it

    @property
    def terminal(self) -> bool:
        return self in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


class FrameStatus(StrEnum):
    WAITING = "WAITING"  # not entered yet
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


BlockKey = tuple[int, int]
"""(number of the frame in which the block stands, index of the block's step)"""


class AttemptState(StrEnum):
    """State of an attempt: one try of one step."""

    QUEUED = "QUEUED"  # for an executor to begin, from `due_at` on
    RUNNING = "RUNNING"  # held by `lease_owner` until `lease_until`
    WAITING = "WAITING"  # rests until `due_at`, or until it is resumed
    ENDED = "ENDED"  # its result is in the row, for the orchestrator to take
    APPLIED = "APPLIED"  # the execution has taken its result


@dataclass(slots=True)
class Frame:
    """`outputs` maps `step_<index>` to what the step gave; `recorded` is the part of it that is new."""

    number: int = ROOT
    block: BlockKey | None = None
    position: int = 0
    """Its number among the frames of its block, from 0."""
    status: FrameStatus = FrameStatus.RUNNING
    current_step: int = 0
    outputs: JsonObject = field(default_factory=dict)
    item: Any = None
    result: Any = None
    error: Mapping[str, Any] | None = None
    recorded: JsonObject = field(default_factory=dict)

    def record(self, key: str, output: Any) -> None:
        self.outputs = {**self.outputs, key: output}
        self.recorded = {**self.recorded, key: output}


@dataclass(slots=True)
class OpenBlock:
    """Progress of the frames of a block: there are `total` of them, begun in the order of their positions."""

    frame: int
    step_index: int
    first_frame: int
    """Number of the frame at position 0; the others follow without a gap."""
    total: int
    at_once: int
    closure: Mapping[str, Any]
    """The roots of expressions that the steps inside take from outside, as they were when it was opened."""
    begun: int = 0
    ended: int = 0
    failed: int = 0
    failed_position: int | None = None
    """Position of the first frame whose failure is the block's."""
    error: Mapping[str, Any] | None = None
    memory: Mapping[str, Any] | None = None
    """Data that the block itself keeps from one of its frames to the next."""

    @property
    def key(self) -> BlockKey:
        return (self.frame, self.step_index)

    @property
    def running(self) -> int:
        return self.begun - self.ended


@dataclass(frozen=True, slots=True)
class EndedFrame:
    """The end of a frame, as its block collects it."""

    position: int
    failed: bool
    result: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Empty where the block does not need them."""


@dataclass(frozen=True, slots=True)
class StepEnded:
    """Fact: an attempt is over; `failure` is None where it succeeded."""

    step_index: int
    attempt: int
    iteration: int = ROOT
    """The frame in which the step ran."""
    output: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    repeats: int | None = None
    """The earlier attempt whose call it made again."""
    pauses: int = 0
    """Attempts before it that only met a receiver who asked for a pause."""

    @property
    def repeated_by_next(self) -> int | None:
        """The attempt whose call the next one makes again; None after a definite answer to that call."""
        if self.failure is not None and self.failure.answered:
            return None
        return self.repeats or self.attempt
