"""Rows of `orchestrator.step_attempts` as the stores take and give them.

Their fields are named like the columns: a batch of rows is sent to PostgreSQL as one JSON array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flowforge.execution.state import AttemptState
from flowforge.field_order import Order, order_of
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True, order=True)
class AttemptKey:
    """Identifies one try of one step in one frame; `attempt` counts from 1."""

    execution_id: UUID
    step_index: int
    iteration: int
    attempt: int


def as_plain(key: AttemptKey) -> AttemptKey:
    """The key alone, where it comes with more: only keys of one class are equal."""
    return AttemptKey(key.execution_id, key.step_index, key.iteration, key.attempt)


@dataclass(frozen=True, slots=True)
class Lease:
    """The executor that holds attempts, and for how many seconds from now on."""

    owner: str
    seconds: float


@dataclass(frozen=True, slots=True)
class NewAttempt(AttemptKey):
    """An attempt to store: QUEUED, or WAITING for what `waiting` says ({kind, failsWhenDue, message}), or RUNNING where
    the executor that stores it has claimed it."""

    workflow_id: UUID
    state: AttemptState
    due_at: datetime | None = None
    """None: now, and its message is published right after the commit."""
    waiting: Mapping[str, Any] | None = None
    repeats: int | None = None
    """The earlier attempt whose Idempotency-Key it carries; None: it has one of its own."""
    pauses: int | None = None
    """Attempts before it that only met a receiver who asked for a pause; None: none."""
    fails_after_crash: bool | None = None
    rate_limited: bool | None = None
    """Whether it is the first of an execution that begins by a rate permit."""
    waits: bool | None = None
    """Whether it is claimed before its turn: whoever claims it notes later that it begins."""


@dataclass(frozen=True, slots=True)
class AttemptResult(AttemptKey):
    """The end of an attempt. `error` is {message, permanent, retryAfter, answered, final}."""

    succeeded: bool
    output: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    output_order: Order | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "output_order", order_of(self.output))


@dataclass(frozen=True, slots=True)
class OpenAttempt(AttemptKey):
    """An attempt whose result its execution has not taken yet."""

    state: str
    succeeded: bool | None
    output: JsonObject | None
    error: JsonObject | None
    repeats: int | None
    pauses: int | None


def permanent_error(message: str) -> JsonObject:
    """The error of an attempt that another attempt cannot mend, as its row holds it."""
    return {"message": message, "permanent": True}
