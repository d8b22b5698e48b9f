"""A whole workflow with everything resolved and nobody called: what each step would be given.

Steps are taken in the order in which they are written. What a step gives is what is pinned, else what can be computed
(TRANSFORM), else what the latest execution recorded; where nothing is known, what depends on it is said to. Of a loop
the first item is gone through; where nobody knows which way a branch goes, all of them are; what handles an error is
looked at as if there were one. An error does not end the walk: all of them are told at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.connectors.catalog import Catalog
from flowforge.engine.plans import Version
from flowforge.engine.start_messages import around
from flowforge.ids import uuid7
from flowforge.language.blocks import BlockType
from flowforge.language.expressions.unknown import A_ROOT
from flowforge.language.plan import Body, Step, compile_plan
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import written_steps
from flowforge.preview.excerpts import excerpt
from flowforge.preview.last_outputs import LastOutputs, last_outputs
from flowforge.preview.step_preview import StepPreview, preview_step
from flowforge.resume_links import ResumeLinks
from flowforge.workflows.credentials import masked_secrets
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.pins import TRIGGER, pinned_outputs

LONGEST_SECONDS = 5.0
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _View:
    """What the steps of a list see. `certain`: whether it is known that they are come to."""

    outputs: Json = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    about: Json = field(default_factory=dict)
    """`item`, `loop` and `error`."""
    certain: bool = True
    handling: bool = False

    def inner(
        self, *, unknown: Sequence[str] = (), certain: bool = True, handling: bool = False, **about: Any
    ) -> _View:
        return replace(
            self,
            outputs=dict(self.outputs),
            unknown=(self.unknown - {A_ROOT + root for root in about}) | set(unknown),
            about={**self.about, **about},
            certain=self.certain and certain,
            handling=self.handling or handling,
        )


class _Ended(Exception):
    """A STOP was come to, or the time is over."""


def dry_run(
    session: Session,
    drafts: Drafts,
    links: ResumeLinks,
    user_id: UUID,
    workflow_id: UUID,
    payload: Json | None = None,
    *,
    draft: bool = False,
) -> Json:
    """Of the draft, or of what is published; enabled or not. Without a payload, it is what is pinned or came in last.
    Within LONGEST_SECONDS. Raises NotFound, Conflict, and Invalid with all that is wrong with a draft."""
    workflows = drafts.workflows
    workflow = workflows.get(session, user_id, workflow_id)
    definition, templated = drafts.to_try(session, workflow, draft=draft)
    pinned, last = pinned_outputs(session, workflow_id), last_outputs(session, workflow_id, in_loops=True)
    trigger = (pinned.get(TRIGGER) or last.trigger or {}) if payload is None else payload
    version = Version(uuid7(), workflow_id, workflow.name, compile_plan(definition, templated=templated))
    session.rollback()  # no connection is held while it is worked out
    places = {step.index: pointer(step.path) for step in written_steps(definition)}
    return _Walk(workflows.catalog, links, version, places, pinned, last, trigger).walked()


class _Walk:
    def __init__(
        self,
        catalog: Catalog,
        links: ResumeLinks,
        version: Version,
        places: Mapping[int, str],
        pinned: Mapping[str, Json],
        last: LastOutputs,
        trigger: Json,
    ) -> None:
        self._catalog = catalog
        self._plan = version.plan
        self._places = places
        self._pinned = pinned
        self._last = last
        self._trigger = trigger
        self._now = datetime.now(UTC)
        self._outside = around(version, UUID(int=0), 0, self._now, links)
        self._outside |= masked_secrets([step.config for step in version.plan.steps])
        self._ends_at = time.monotonic() + LONGEST_SECONDS
        self._rows: list[Json] = []
        self._stopped: Json | None = None
        self._complete = True

    def walked(self) -> Json:
        with suppress(_Ended):
            self._list(self._plan.root, _View())
        return {
            "trigger": excerpt(self._trigger),
            "steps": self._rows,
            "errors": sum(row["error"] is not None for row in self._rows),
            "unknown": sum(bool(row["unknown"]) for row in self._rows),
            "stoppedBy": self._stopped,
            "complete": self._complete,
        }

    def _list(self, body: Body, view: _View) -> None:
        for step in body.steps:
            self._step(step, view)

    def _step(self, step: Step, view: _View) -> None:
        if time.monotonic() > self._ends_at:
            self._complete = False
            raise _Ended
        told = preview_step(self._catalog, step, self._roots(view), view.unknown, self._now)
        row = self._row(step, told, view)
        self._rows.append(row)
        if told.runs is False:
            return
        self._go_inside(step, told, view)
        output, row["source"] = self._output(step, told)
        if output is None:
            view.unknown.update({step.id, step.key})
        else:
            view.outputs[step.key] = output
            row["output"] = excerpt(output)
        if step.handler is not None:
            self._list(step.handler, view.inner(certain=False, handling=True, error=self._error_of(step, told)))
        if step.block is BlockType.STOP and view.certain and told.runs and told.error is None:
            self._stopped = {"step": step.id, **(told.output or {})}
            raise _Ended

    def _roots(self, view: _View) -> Json:
        steps = self._plan.outputs(view.outputs)
        return {"trigger": self._trigger, "steps": steps, **view.about, **self._outside}

    def _row(self, step: Step, told: StepPreview, view: _View) -> Json:
        return {
            "id": step.id,
            "index": step.index,
            "type": step.type,
            "pointer": self._places.get(step.index),
            "runs": told.runs if view.certain or told.runs is False else None,
            "onError": view.handling,
            "config": excerpt(told.config),
            "would": excerpt(told.output),
            "output": None,
            "source": None,
            "error": told.error,
            "field": told.place,
            "unknown": told.unknown,
        }

    def _output(self, step: Step, told: StepPreview) -> tuple[Json | None, str]:
        name = (step.id, step.type)
        if step.id in self._pinned and step.id != TRIGGER:
            return self._pinned[step.id], "pinned"
        computed = None if told.error or told.unknown else _computed(step, told)
        if computed is not None:
            return computed, "computed"
        if name in self._last.outputs:
            return self._last.outputs[name], "execution"
        return None, "unknown"

    def _go_inside(self, step: Step, told: StepPreview, view: _View) -> None:
        match step.block:
            case BlockType.BRANCH:
                self._branch(step, told, view)
            case BlockType.PARALLEL:
                for body in step.bodies:
                    lane = view.inner()
                    self._list(body, lane)
                    view.outputs.update(lane.outputs)
                    view.unknown.update(lane.unknown)
            case BlockType.FOR_EACH:
                self._loop(step, told, view)

    def _branch(self, step: Step, told: StepPreview, view: _View) -> None:
        if told.output is not None:
            for body in step.bodies:
                if body.name == told.output["branch"]:
                    self._list(body, view)
            return
        for body in step.bodies:
            way = view.inner(certain=False)
            self._list(body, way)
            view.outputs.update(way.outputs)
            view.unknown.update(way.unknown)

    def _loop(self, step: Step, told: StepPreview, view: _View) -> None:
        items = told.output["items"] if told.output else None
        if items == []:
            return
        count = told.output["count"] if told.output else 1
        loop: Json = {"index": 0, "number": 1, "count": count, "first": True, "last": count == 1}
        if "loop" in view.about:
            loop["parent"] = {**view.about["loop"], "item": view.about.get("item")}
        name = (step.id, step.type)
        known = [items[0]] if items else [self._last.items[name]] if name in self._last.items else []
        certain = items is not None
        if known:
            inside = view.inner(certain=certain, loop=loop, item=known[0])
        else:
            inside = view.inner(certain=certain, unknown=[A_ROOT + "item"], loop=loop)
        for body in step.bodies:
            self._list(body, inside)

    def _error_of(self, step: Step, told: StepPreview) -> Json:
        recorded = self._last.outputs.get((step.id, step.type), {}).get("error")
        message = told.error or "what went wrong"
        made_up = {"step": step.id, "stepIndex": step.index, "message": message, "attempt": 1}
        return recorded if isinstance(recorded, dict) else made_up


def _computed(step: Step, told: StepPreview) -> Json | None:
    """Of the steps whose output follows from their config."""
    match step.block:
        case None if step.type == "TRANSFORM" and told.config is not None:
            output = told.config.get("output")
            return output if isinstance(output, dict) else None
        case BlockType.BRANCH:
            return told.output
        case BlockType.RESPOND:
            return {"status": told.output["status"]} if told.output else None
        case BlockType.WAIT:
            return {} if told.output and "for" not in told.output else None
        case BlockType.STOP:
            return {}
    return None
