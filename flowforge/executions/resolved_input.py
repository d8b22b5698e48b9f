"""The input of a step: its config with the expressions resolved, computed again from what the execution recorded.

Storing it with every attempt would cost each of them; looking at one is rare.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.connectors.catalog import Catalog
from flowforge.db import frames_store, variables_store
from flowforge.db.frames_store import FrameKey
from flowforge.engine.plans import Plans, Version
from flowforge.engine.start_messages import around
from flowforge.errors import NotFound
from flowforge.execution.context import scope, step_context
from flowforge.execution.state import ROOT, Frame, OpenBlock
from flowforge.executions.views import ExecutionView
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.plan import Step
from flowforge.resume_links import ResumeLinks
from flowforge.sentences import sentence
from flowforge.workflows.credentials import masked_secrets


def resolved_input(
    session: Session, catalog: Catalog, links: ResumeLinks, execution: ExecutionView, step_index: int, frame: int
) -> JsonObject | str:
    """The config, its secrets masked, as it would be resolved when the execution began; a text says why it cannot be.
    Raises NotFound."""
    version, step = _step(session, execution, step_index)
    masked = catalog.mask(step.type, step.config)
    config = {key: value for key, value in masked.items() if key not in step.deferred_fields}
    if not step.templated:
        return config
    inside, block = _frame(session, execution, frame)
    context = step_context(version.plan, step, inside, block, execution.trigger_payload or {})
    variables = variables_store.of_workflow(session.connection(), execution.workflow_id)
    outside = around(version, execution.id, frame, execution.created_at, links, variables) | masked_secrets(config)
    roots = scope(version.plan, context, outside)
    try:
        return catalog.mask(step.type, resolve(config, roots, step=step.id, field="config"))
    except ExpressionError as error:
        return str(error)


def _step(session: Session, execution: ExecutionView, step_index: int) -> tuple[Version, Step]:
    ids: list[UUID] = [execution.version_id] if execution.version_id else []
    versions = Plans().get(session.connection(), ids)
    version = versions[ids[0]] if ids and ids[0] in versions else None
    step = version.plan.step(step_index) if version else None
    if version is None or step is None:
        raise NotFound(sentence("there is no such step in this execution"))
    return version, step


def _frame(session: Session, execution: ExecutionView, number: int) -> tuple[Frame, OpenBlock | None]:
    if number == ROOT:
        return Frame(outputs=execution.step_outputs or {}), None
    found = frames_store.load_frames(session.connection(), [FrameKey(execution.id, number)])
    if not found:
        raise NotFound(sentence("there is no such frame in this execution"))
    [loaded] = found
    return loaded.frame, loaded.block
