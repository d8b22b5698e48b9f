"""Listening for a test call: the page polls for a payload, and shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import render_template, request

from flowforge.executions import executions
from flowforge.triggers.kinds import find_kind
from flowforge.workflows.views import WorkflowView
from webapp.context import session
from webapp.ui.base import blueprint
from webapp.ui.builder import found
from webapp.ui.guard import viewer_id

LONGEST = timedelta(minutes=3)


@blueprint.get("/workflows/<uuid:workflow_id>/build/heard")
def builder_heard(workflow_id: UUID) -> str:
    """`since`: the execution that was the latest when listening began (`none` where there was none), `until` when it
    ends. Without them it begins."""
    workflow = found(workflow_id)
    latest = executions.latest(session(), viewer_id(), workflow.id)
    now = datetime.now(UTC)
    since = request.args.get("since") or (str(latest.id) if latest else "none")
    until = request.args.get("until", type=float) or (now + LONGEST).timestamp()
    heard = latest if latest is not None and str(latest.id) != since else None
    over = heard is None and now.timestamp() > min(until, (now + LONGEST).timestamp())
    return render_template(
        "builder/_listening.html",
        workflow=workflow,
        heard=heard,
        over=over,
        since=since,
        until=until,
        listening=_listening(workflow),
    )


def _listening(workflow: WorkflowView) -> str:
    """The thing to do meanwhile."""
    trigger = workflow.trigger
    kind = find_kind(trigger.get("type")) if isinstance(trigger, dict) else None
    return kind.address.listening if kind and kind.address else "start the workflow now"
