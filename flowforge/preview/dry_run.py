"""A whole workflow with every expression resolved and nobody called: the config with which each step would run.

The output of a step is the pinned one, else what can be computed, else what the latest execution recorded; where none
is known, all that depends on it is marked unknown. An error does not end the dry run: it finds all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db import variables_store
from flowforge.db.variables_store import Values
from flowforge.engine.plans import Version
from flowforge.engine.start_messages import around
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.unknown_values import Unknown
from flowforge.language.plan import compile_plan
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import written_steps
from flowforge.preview.excerpts import excerpt
from flowforge.preview.known_outputs import KnownOutputs, Source
from flowforge.preview.last_outputs import last_outputs
from flowforge.preview.preview_run import PreviewRun
from flowforge.preview.walk import PreviewedStep, Walk
from flowforge.resume_links import ResumeLinks
from flowforge.triggers.kinds import sample_payload
from flowforge.workflows.credentials import masked_secrets
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.pins import kept_outputs

LONGEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DryStep:
    """A step that a run would reach. Values are cut to a readable size."""

    id: str
    index: int
    type: str
    pointer: str | None
    runs: bool | None
    """None: it depends on something unknown."""
    on_error: bool
    """Whether it would only run to handle an error."""
    config: JsonObject | None
    would: JsonObject | None
    """The effect of a block."""
    output: Any
    """The output for later steps; None where it is unknown."""
    source: Source | None
    error: str | None
    field: str | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """The outcome of a dry run; `stopped_by` names the step that would end a run before its last step."""

    trigger: Any
    steps: tuple[DryStep, ...]
    errors: int
    unknown: int
    stopped_by: JsonObject | None
    complete: bool
    """False: it took too long, the steps behind were not looked at."""


def dry_run(
    session: Session,
    drafts: Drafts,
    links: ResumeLinks,
    user_id: UUID,
    workflow_id: UUID,
    payload: JsonObject | None = None,
    *,
    draft: bool = False,
) -> DryRun:
    """Go through the draft, or the published version, enabled or not, within LONGEST_SECONDS. The payload defaults to
    the sample. Raises NotFound, Conflict, and Invalid with all problems of a draft."""
    workflows = drafts.workflows
    workflow = workflows.load(session, user_id, workflow_id)
    definition, templated = drafts.to_try(session, workflow, draft=draft)
    last = last_outputs(session, workflow_id, in_loops=True)
    known = KnownOutputs(kept_outputs(session, workflow_id), last, sample_payload(definition.get("trigger")))
    version = Version(uuid7(), workflow_id, workflow.name, compile_plan(definition, templated=templated))
    variables = variables_store.of_workflow(session.connection(), workflow_id)
    session.rollback()  # no connection is held while it is worked out
    trigger = known.trigger if payload is None else payload
    run = PreviewRun.begun(version.plan, trigger, _around(version, links, variables))
    walk = Walk(workflows.catalog, run, known, seconds=LONGEST_SECONDS, as_run=True).go()
    return _found(walk, {step.index: pointer(step.path) for step in written_steps(definition)})


def _around(version: Version, links: ResumeLinks, variables: Values) -> JsonObject:
    outside = around(version, UUID(int=0), 0, datetime.now(UTC), links, variables)
    return outside | masked_secrets([step.config for step in version.plan.steps])


def _found(walk: Walk, pointers: Mapping[int, str]) -> DryRun:
    steps = tuple(_dry_step(walk.steps[index], pointers.get(index)) for index in sorted(walk.steps))
    stop = walk.stopped_by
    return DryRun(
        trigger=excerpt(walk.run.trigger),
        steps=steps,
        errors=sum(step.error is not None for step in steps),
        unknown=sum(bool(step.unknown) for step in steps),
        stopped_by=None if stop is None else {"step": stop.step.id, **(stop.preview.output or {})},
        complete=walk.complete,
    )


def _dry_step(found: PreviewedStep, at: str | None) -> DryStep:
    step, preview, output = found.step, found.preview, found.output
    is_known = output is not None and not isinstance(output.value, Unknown)
    return DryStep(
        id=step.id,
        index=step.index,
        type=step.type,
        pointer=at,
        runs=preview.runs,
        on_error=found.handles_error,
        config=excerpt(preview.config),
        would=excerpt(preview.output),
        output=excerpt(output.value) if output is not None and is_known else None,
        source=None if output is None else output.source,
        error=preview.error,
        field=preview.field,
        unknown=preview.unknown,
    )
