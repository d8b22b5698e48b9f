"""One execution, as it goes along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import ExecutionRow
from flowforge.errors import Invalid, NotFound, Unavailable
from flowforge.operations import executions as operations
from flowforge.operations import log_search, overview, step_progress
from flowforge.operations.log_search import LogFilter
from webapp.context import backends, session
from webapp.services import workflows
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.steps import OVER, steps_of
from webapp.ui.timeline import timeline_of

LOG_STATES = ("STARTED", "SUCCESS", "FAILURE", "COMPLETED", "FAILED", "CANCELLED")
LOG_KINDS = {"START": "Step started", "RESULT": "Step result", "EXECUTION": "Execution"}
_LONGEST_TEXT = 200


@blueprint.get("/executions/<uuid:execution_id>")
def execution(execution_id: UUID) -> str:
    row = _row(execution_id)
    return render_template("executions/show.html", **_progress(row), **_log(row))


@blueprint.get("/executions/<uuid:execution_id>/progress")
def execution_progress(execution_id: UUID) -> str:
    """The part of the page that changes while it runs."""
    return render_template("executions/_progress.html", **_progress(_row(execution_id)))


@blueprint.get("/executions/<uuid:execution_id>/log")
def execution_log(execution_id: UUID) -> str:
    """The lines, which change too."""
    row = _row(execution_id)
    return render_template("executions/_log.html", execution=row, over=row.status in OVER, **_log(row))


@blueprint.post("/executions/<uuid:execution_id>/cancel")
def cancel_execution(execution_id: UUID) -> Any:
    cancelled = operations.cancel(session(), backends(), viewer_id(), execution_id)
    flash("It was cancelled." if cancelled.status == "CANCELLED" else "It was over already.", "done")
    return redirect(url_for("ui.execution", execution_id=execution_id), 303)


def _progress(row: ExecutionRow) -> dict[str, Any]:
    event_id = _asked_id("event")
    written = overview.actions_of(session(), row)
    figures, attempts = step_progress.figures(session(), row.id), step_progress.newest_attempts(session(), row.id)
    steps = steps_of(row, written, figures, attempts, load_catalog())
    return {
        "stream_url": url_for("live.live", execution_id=row.id),
        "progress_url": url_for("ui.execution_progress", execution_id=row.id, event=event_id),
        "execution": row,
        "workflow_name": _workflow_name(row),
        "steps": steps,
        "timeline": timeline_of(row, steps),
        "over": row.status in OVER,
    }


def _log(row: ExecutionRow) -> dict[str, Any]:
    """`lines` is None while the log does not answer: the rest of the page is worth showing."""
    wanted = _asked_filter()
    asked: dict[str, Any] = {
        "event": _asked_id("event"),
        "log": wanted.text or None,
        "state": wanted.status or None,
        "kind": wanted.event_type or None,
        "step": wanted.step,
    }
    try:
        lines = log_search.search(backends().logbook, row.user_id, row.id, wanted, request.args.get("after") or None)
    except Unavailable:
        lines = None
    except Invalid:
        lines = log_search.search(backends().logbook, row.user_id, row.id, wanted)
    return {
        "lines": lines,
        "wanted": wanted,
        "asked": asked,
        "filtered": wanted != LogFilter(),
        "paged": "after" in request.args,
        "log_url": url_for("ui.execution_log", execution_id=row.id, after=request.args.get("after"), **asked),
        "log_states": LOG_STATES,
        "log_kinds": LOG_KINDS,
    }


def _asked_filter() -> LogFilter:
    status, kind = request.args.get("state", ""), request.args.get("kind", "")
    return LogFilter(
        text=request.args.get("log", "").strip()[:_LONGEST_TEXT],
        status=status if status in LOG_STATES else "",
        event_type=kind if kind in LOG_KINDS else "",
        step=request.args.get("step", type=int),
    )


def _row(execution_id: UUID) -> ExecutionRow:
    """Just after a start by hand it is no row yet, but an event that the page's address names. Raises NotFound."""
    try:
        return operations.get(session(), viewer_id(), execution_id)
    except NotFound:
        event_id = _asked_id("event")
        if event_id is None:
            raise
        return overview.awaited(session(), viewer_id(), event_id, execution_id)


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
