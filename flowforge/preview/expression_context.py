"""What the expressions of a step would see, as far as it is known before it runs: what is pinned, else what can be
computed from what is known, else what the latest execution gave."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.errors import Invalid
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.unknown import unknown_in
from flowforge.language.pointers import parsed
from flowforge.language.scope_rules import Path, Written, earlier, handled_step, loops_around, written_steps
from flowforge.preview.last_outputs import LastOutputs, last_outputs, last_trigger
from flowforge.workflows.pins import TRIGGER, pinned_outputs

Json = dict[str, Any]
_MOST_SECONDS = 1.0
"""For computing; what is recorded will do after that."""
Source = Literal["pinned", "execution", "computed", "unknown"]


@dataclass(frozen=True, slots=True)
class ExpressionContext:
    """The roots of expressions for one place, and where they come from."""

    roots: Json
    """`trigger`, `steps` by id and by number, and inside blocks `item`, `loop` and `error`."""
    trigger_source: Source
    sources: dict[str, Source] = field(default_factory=dict)
    """Of the steps whose output can be used at that place, by id."""
    unknown: frozenset[str] = frozenset()
    """Names of those among them of which nothing is known."""


def context_roots(session: Session, workflow_id: UUID, definition: Mapping[str, Any], at: str) -> Json:
    """The roots alone. Raises Invalid."""
    return context_at(session, workflow_id, definition, at).roots


def context_at(session: Session, workflow_id: UUID, definition: Mapping[str, Any], at: str) -> ExpressionContext:
    """For the step at the pointer `at`, of a definition in whatever state; for no pointer, behind its last step. At
    most four statements. Raises Invalid where there is no such step."""
    steps, path = written_steps(definition), parsed(at)
    if not at:
        path = ("actions", len(steps))
    elif all(step.path != path for step in steps):
        raise Invalid.at("/at", "there is no such step; it was moved or deleted meanwhile")
    last = last_outputs(session, workflow_id, in_loops=bool(loops_around(steps, path)))
    return _Looking(steps, pinned_outputs(session, workflow_id), last).from_(path)


def sample(session: Session, workflow_id: UUID) -> Json | None:
    """What is pinned as coming in, else what came in last; None where nothing has come in yet."""
    pinned = pinned_outputs(session, workflow_id).get(TRIGGER)
    return last_trigger(session, workflow_id) if pinned is None else pinned


class _Looking:
    """Goes through what is seen from a place in the order in which it runs: one thing is computed from another."""

    def __init__(self, steps: list[Written], pinned: Mapping[str, Json], last: LastOutputs) -> None:
        self._steps = steps
        self._pinned = pinned
        self._last = last
        self._outputs: Json = {}
        self._unknown: set[str] = set()
        self._items: dict[Path, Json] = {}
        self._computes_until = time.monotonic() + _MOST_SECONDS
        self._trigger: Json = pinned.get(TRIGGER) or last.trigger or {}

    def from_(self, path: Path) -> ExpressionContext:
        loops = loops_around(self._steps, path)
        sources: dict[str, Source] = {}
        for step in sorted([*earlier(self._steps, path), *loops], key=lambda step: step.index):
            if step in loops:
                self._enter(step)
            else:
                sources[step.id] = self._look_at(step)
        roots = self._roots(path)
        handled = handled_step(self._steps, path)
        if handled is not None:
            roots["error"] = self._error_of(handled)
        return ExpressionContext(roots, self._source_of_trigger(), sources, frozenset(self._unknown))

    def _source_of_trigger(self) -> Source:
        return "pinned" if self._pinned.get(TRIGGER) else "execution" if self._last.trigger else "unknown"

    def _look_at(self, step: Written) -> Source:
        name = (step.id, step.type)
        if step.id in self._pinned:
            return self._give(step, self._pinned[step.id], "pinned")
        if step.type == "TRANSFORM" and time.monotonic() < self._computes_until:
            with suppress(ExpressionError):
                computed = self._resolved(step, step.config.get("output"))
                if isinstance(computed, dict):
                    return self._give(step, computed, "computed")
        if name in self._last.outputs:
            return self._give(step, self._last.outputs[name], "execution")
        self._unknown |= {step.id, step.key}
        return "unknown"

    def _give(self, step: Written, output: Any, source: Source) -> Source:
        self._outputs[step.key] = self._outputs[step.id] = output
        return source

    def _enter(self, loop: Written) -> None:
        """The first item of it."""
        try:
            items = self._resolved(loop, loop.config.get("items"))
        except ExpressionError:
            items = None
        outer = self._around(loop.path)
        about: Json = {}
        if isinstance(items, list) and items:
            about["item"] = items[0]
        elif (loop.id, loop.type) in self._last.items:
            about["item"] = self._last.items[loop.id, loop.type]
        count = len(items) if isinstance(items, list) and items else 1
        about["loop"] = {"index": 0, "number": 1, "count": count, "first": True, "last": count == 1}
        if "loop" in outer:
            about["loop"]["parent"] = {**outer["loop"], "item": outer.get("item")}
        self._items[loop.path] = about

    def _resolved(self, step: Written, value: Any) -> Any:
        """Raises ExpressionError, also where it would take what is not known."""
        return resolve(value, self._roots(step.path), step=step.id)

    def _roots(self, path: Path) -> Json:
        return {"trigger": self._trigger, "steps": dict(self._outputs), **self._around(path)}

    def _around(self, path: Path) -> Json:
        loops = loops_around(self._steps, path)
        return dict(self._items.get(loops[-1].path, {})) if loops else {}

    def _error_of(self, handled: Written) -> Json:
        given = self._last.outputs.get((handled.id, handled.type), {})
        error = given.get("error") if isinstance(given, dict) else None
        made_up = {"step": handled.id, "stepIndex": handled.index, "message": "what went wrong", "attempt": 1}
        return error if isinstance(error, dict) else made_up


def why_unknown(text: str, unknown: frozenset[str]) -> str | None:
    """Why an expression cannot be computed yet; None where everything it takes is known."""
    step = unknown_in(text, unknown)
    if step is None:
        return None
    return f"the output of step '{step}' is not known yet: run the step, run the workflow, or pin an output"
