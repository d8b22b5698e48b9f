"""One execution, as it goes along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from flowforge.db.tables import ExecutionRow
from flowforge.errors import NotFound, Unavailable
from flowforge.logbook import LogEntry
from flowforge.operations import executions as operations
from flowforge.operations import overview
from webapp.context import backends, session
from webapp.services import workflows
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.steps import OVER, steps_of

SHOWN_LOG_LINES = 500


@blueprint.get("/executions/<uuid:execution_id>")
def execution(execution_id: UUID) -> str:
    return render_template("executions/show.html", **_progress(execution_id))


@blueprint.get("/executions/<uuid:execution_id>/progress")
def execution_progress(execution_id: UUID) -> str:
    """The part of the page that changes while it runs."""
    return render_template("executions/_progress.html", **_progress(execution_id))


@blueprint.post("/executions/<uuid:execution_id>/cancel")
def cancel_execution(execution_id: UUID) -> Any:
    operations.cancel(session(), backends(), viewer_id(), execution_id)
    return redirect(url_for("ui.execution", execution_id=execution_id), 303)


def _progress(execution_id: UUID) -> dict[str, Any]:
    row, event_id = _row(execution_id), _asked_id("event")
    entries = _log_of(row)
    return {
        "stream_url": url_for("live.live", execution_id=execution_id),
        "progress_url": url_for("ui.execution_progress", execution_id=execution_id, event=event_id),
        "execution": row,
        "workflow_name": _workflow_name(row),
        "steps": steps_of(row, overview.actions_of(session(), row), operations.attempts(session(), row.id)),
        "over": row.status in OVER,
        "entries": entries,
        "cursor": entries[-1].cursor if entries else "",
    }


def _row(execution_id: UUID) -> ExecutionRow:
    """Just after a start by hand it is no row yet, but an event that the page's address names. Raises NotFound."""
    try:
        return operations.get(session(), viewer_id(), execution_id)
    except NotFound:
        event_id = _asked_id("event")
        if event_id is None:
            raise
        return overview.awaited(session(), viewer_id(), event_id, execution_id)


def _log_of(row: ExecutionRow) -> list[LogEntry] | None:
    """None while the log does not answer: the rest of the page is worth showing."""
    try:
        return backends().logbook.follow(row.user_id, row.id, None, SHOWN_LOG_LINES)
    except Unavailable:
        return None


def _workflow_name(row: ExecutionRow) -> str | None:
    try:
        return workflows().get(session(), row.user_id, row.workflow_id).name
    except NotFound:
        return None


def _asked_id(name: str) -> UUID | None:
    """Anything that is no id counts as not given."""
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None
