"""The commands of the state machine. It carries none of them out itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flowforge.execution.state import ROOT, BlockKey, OpenBlock


@dataclass(frozen=True, slots=True)
class StartStep:
    """Command: let an executor try this step, from `due_at` on (None: now)."""

    step_index: int
    attempt: int = 1
    iteration: int = ROOT
    due_at: datetime | None = None
    repeats: int | None = None
    """The earlier attempt whose call it makes again, since nobody knows whether that was done."""
    pauses: int = 0
    """Attempts before it that only met a receiver who asked for a pause."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Command: rest until `due_at`, or until it is resumed. `kind`: `time`, `resume`, `approval`, or `continue` for a
    loop that goes on by itself."""

    step_index: int
    iteration: int
    due_at: datetime
    kind: str = "time"
    attempt: int = 1
    fails_when_due: bool = False
    message: str | None = None

    @property
    def needs_answer(self) -> bool:
        """Whether a call or a person ends it, rather than the time."""
        return self.kind in ("resume", "approval")


@dataclass(frozen=True, slots=True)
class CallWorkflow:
    """Command: start that workflow; where `awaited`, its end is this step's."""

    step_index: int
    iteration: int
    workflow_id: UUID
    payload: Mapping[str, Any]
    awaited: bool


@dataclass(frozen=True, slots=True)
class Respond:
    """Command: the answer for the caller who waits."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class OpenFrames:
    """Command: keep a frame for every item (for a branch: null), in this order, from a position
    on; none has begun. The block is kept with those at position 0."""

    block: OpenBlock
    position: int
    items: Sequence[Any]


@dataclass(slots=True)
class Effects:
    """The commands of one run of the machine."""

    starts: list[StartStep] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    calls: list[CallWorkflow] = field(default_factory=list)
    opened: list[OpenFrames] = field(default_factory=list)
    response: Respond | None = None
    entering: list[int] = field(default_factory=list)
    """Frames that begin: load each, and report `frame_entered`."""
    closing: list[BlockKey] = field(default_factory=list)
    """Blocks that are over: load the frame each stands in and what its frames gave, and report `block_ended`."""
