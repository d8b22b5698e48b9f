"""How an execution moves. The arrows are drawn, lettered alike, in docs/execution-states.md.

A  begin          PENDING  -> RUNNING     the plan has a step
B  begin          PENDING  -> COMPLETED   the plan has none
C  step succeeded RUNNING  -> RUNNING     another step follows
D  step succeeded RUNNING  -> COMPLETED   it was the last
E  step failed    RUNNING  -> RUNNING     it is tried again
F  step failed    RUNNING  -> FAILED      it is not
G  cancel         PENDING, RUNNING -> CANCELLED

COMPLETED, FAILED and CANCELLED are terminal: no fact moves them. A fact about anything but the step now due is stale
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from flowforge.execution.retry import Failure, retry_at
from flowforge.language.definition import RetryPolicy
from flowforge.language.plan import Plan, Step


class Status(StrEnum):
    """The five values old readers know (contract.md, section 4)."""

    PENDING = "PENDING"  # accepted, not begun
    RUNNING = "RUNNING"  # a step is due, being tried, or waiting for its retry
    COMPLETED = "COMPLETED"  # every step succeeded
    FAILED = "FAILED"  # a step failed for good; `error` says why
    CANCELLED = "CANCELLED"  # somebody stopped it

    @property
    def terminal(self) -> bool:
        return self in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


@dataclass(frozen=True, slots=True)
class Execution:
    """The moving part of an execution. `outputs` maps `step_<index>` to what the step gave."""

    status: Status = Status.PENDING
    current_step: int = 0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StartStep:
    """Command: let an executor try this step, from `due_at` on (None: now)."""

    step_index: int
    attempt: int = 1
    iteration: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepEnded:
    """Fact: an attempt is over; `failure` is None where it succeeded."""

    step_index: int
    attempt: int
    iteration: int = 0
    output: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What a fact leads to. `applied` is False where the fact was stale."""

    execution: Execution
    start: StartStep | None = None
    applied: bool = True


def begin(plan: Plan) -> Transition:
    """A, B: an accepted event becomes a moving execution."""
    return _proceed(Execution(), plan, plan.first())


def step_ended(
    execution: Execution, plan: Plan, fact: StepEnded, defaults: RetryPolicy, now: datetime, chance: float
) -> Transition:
    """C, D, E, F, by the plan of the version the execution is pinned to."""
    if execution.status is not Status.RUNNING or fact.step_index != execution.current_step:
        return Transition(execution, applied=False)
    if fact.failure is not None:
        return _failed(execution, plan, fact, fact.failure, defaults, now, chance)
    outputs = {**execution.outputs, f"step_{fact.step_index}": dict(fact.output)}
    return _proceed(replace(execution, outputs=outputs), plan, plan.after(fact.step_index))


def cancel(execution: Execution) -> Transition:
    """G. The action that is running is not interrupted; its result comes too late."""
    if execution.status.terminal:
        return Transition(execution, applied=False)
    return Transition(replace(execution, status=Status.CANCELLED))


def _proceed(execution: Execution, plan: Plan, following: Step | None) -> Transition:
    if following is None:
        return Transition(replace(execution, status=Status.COMPLETED, current_step=plan.length))
    moved = replace(execution, status=Status.RUNNING, current_step=following.index)
    return Transition(moved, StartStep(following.index))


def _failed(
    execution: Execution,
    plan: Plan,
    fact: StepEnded,
    failure: Failure,
    defaults: RetryPolicy,
    now: datetime,
    chance: float,
) -> Transition:
    step = plan.step(fact.step_index)
    policy = (step.retry if step else None) or defaults
    again = retry_at(policy, fact.attempt, failure, now, chance)
    if again is not None:
        return Transition(execution, StartStep(fact.step_index, fact.attempt + 1, fact.iteration, again))
    error = {
        "step": step.id if step else f"step_{fact.step_index}",
        "stepIndex": fact.step_index,
        "message": failure.message,
        "attempt": fact.attempt,
    }
    return Transition(replace(execution, status=Status.FAILED, error=error))
