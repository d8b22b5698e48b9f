"""One execution, as it goes along: its flow, seen at one frame, and its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for

from flowforge.errors import Invalid, NotFound, Unavailable
from flowforge.execution.state import ROOT
from flowforge.executions import executions as operations
from flowforge.executions import log_search
from flowforge.executions.log_search import LogFilter
from flowforge.executions.pending import AwaitedExecutionView, awaited
from flowforge.executions.views import ExecutionView
from flowforge.executions.written_steps import WrittenStep, all_steps, version_of, written_steps
from flowforge.language.decisions import Decision
from flowforge.language.pointers import pointer
from flowforge.logbook import LogEntry
from flowforge.resume_links import WaitKey
from webapp.context import backends, session
from webapp.services import workflows
from webapp.translation.texts import lazy
from webapp.ui.base import blueprint
from webapp.ui.frames import requested_frame, run_labels, step_title, way_to
from webapp.ui.guard import viewer_id
from webapp.ui.run_progress import progress_of
from webapp.ui.steps import OVER, Step
from webapp.ui.timeline import timeline_of

LOG_STATES = ("STARTED", "SUCCESS", "FAILURE", "COMPLETED", "FAILED", "CANCELLED", "INFO", "WARN", "ERROR")
LOG_KINDS = {
    "START": lazy("Step started"),
    "RESULT": lazy("Step result"),
    "EXECUTION": lazy("Execution"),
    "LOG": lazy("Log lines of steps"),
}
_LONGEST_TEXT = 200


@blueprint.get("/executions/<uuid:execution_id>")
def execution(execution_id: UUID) -> str:
    row = found(execution_id)
    written = written_steps(session(), row)
    return render_template("executions/show.html", **_progress(row, written), **_log(row, written))


@blueprint.get("/executions/<uuid:execution_id>/progress")
def execution_progress(execution_id: UUID) -> str:
    """The part of the page that changes while it runs."""
    row = found(execution_id)
    return render_template("executions/_progress.html", **_progress(row, written_steps(session(), row)))


@blueprint.get("/executions/<uuid:execution_id>/log")
def execution_log(execution_id: UUID) -> str:
    """The lines, which change too."""
    row = found(execution_id)
    shown = _log(row, written_steps(session(), row))
    return render_template("executions/_log.html", execution=row, over=row.status in OVER, **shown)


def found(execution_id: UUID) -> ExecutionView:
    """Find the execution, or the event that the address names. Raises NotFound."""
    return find(execution_id, requested_event())


def find(execution_id: UUID, event_id: UUID | None) -> ExecutionView:
    """Find the execution; just after a start by hand it is no row yet, but an event. Raises NotFound."""
    try:
        return operations.get(session(), viewer_id(), execution_id)
    except NotFound:
        if event_id is None:
            raise
        return awaited(session(), viewer_id(), event_id, execution_id)


def workflow_name(row: ExecutionView) -> str | None:
    """Find the name of the workflow; None where it is gone."""
    try:
        return workflows().get(session(), row.user_id, row.workflow_id).name
    except NotFound:
        return None


def _progress(row: ExecutionView, written: Sequence[WrittenStep]) -> dict[str, object]:
    frame, event_id = requested_frame(), requested_event()
    progress = progress_of(row, written, frame)
    steps = progress.steps
    return {
        "stream_url": url_for("live.live", execution_id=row.id),
        "progress_url": url_for("ui.execution_progress", execution_id=row.id, event=event_id, frame=frame or None),
        "execution": row,
        "workflow_name": workflow_name(row),
        "frame": frame,
        "way": way_to(row, frame, written),
        "steps": steps,
        "timeline": timeline_of(row, steps, progress.loop_spans()),
        "failed_in": _failed_in(row, steps),
        "failed_at": _failed_at(row, written),
        "version": version_of(session(), row),
        "answer_path": partial(answer_path, row.id),
        "replays": operations.replays(session(), row.id) if row.status in OVER else (),
        "over": row.status in OVER,
        "awaited": isinstance(row, AwaitedExecutionView),
    }


def _failed_in(row: ExecutionView, steps: Sequence[Step]) -> str | None:
    """Name the step that failed; None where the page shows other steps."""
    index = (row.error or {}).get("stepIndex")
    return next((step.title for top in steps for step in top.all() if step.index == index), None)


def _failed_at(row: ExecutionView, written: Sequence[WrittenStep]) -> str | None:
    """Return the pointer of the step that failed, for the builder to open it."""
    index = (row.error or {}).get("stepIndex")
    return next((pointer(step.path) for step in all_steps(written) if step.index == index), None)


def answer_path(execution_id: UUID, step: Step) -> str:
    """Return the path of the page on which the step's wait is ended."""
    wait = step.wait
    assert wait is not None
    return url_for(
        "resume.show", token=backends().resume_links.token(WaitKey(execution_id, step.index, wait.iteration))
    )


def _log(row: ExecutionView, written: Sequence[WrittenStep]) -> dict[str, object]:
    """`lines` is None while the log does not answer: the rest of the page is worth showing."""
    wanted = _requested_filter()
    params: dict[str, Any] = {
        "event": requested_event(),
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
    numbers = {iteration for line in lines.entries if (iteration := _iteration(line.data))} if lines else set()
    return {
        "lines": lines,
        "run_labels": run_labels(row, numbers, written),
        "wanted": wanted,
        "log_params": params,
        "filtered": wanted != LogFilter(),
        "paged": "after" in request.args,
        "log_url": url_for("ui.execution_log", execution_id=row.id, after=request.args.get("after"), **params),
        "decision_of": partial(_decision, {step.index: step for step in all_steps(written)}),
        "step_titles": {step.index: step_title(step) for step in all_steps(written)},
        "log_states": LOG_STATES,
        "log_kinds": LOG_KINDS,
    }


def _decision(steps: Mapping[int, WrittenStep], entry: LogEntry) -> Decision | None:
    """The decision of which a line tells; None for any other line."""
    data = entry.data if entry.event_type == "RESULT" and isinstance(entry.data, dict) else {}
    step = steps.get(data.get("stepIndex", -1))
    return step.decision(data.get("output")) if step else None


def _iteration(data: Any) -> int:
    """The number of the frame that a line tells of; 0 where it is none, in lines of other writers too."""
    found = data.get("iteration") if isinstance(data, dict) else None
    return found if type(found) is int and 0 < found < 2**31 else ROOT


def _requested_filter() -> LogFilter:
    status, kind = request.args.get("state", ""), request.args.get("kind", "")
    return LogFilter(
        text=request.args.get("log", "").strip()[:_LONGEST_TEXT],
        status=status if status in LOG_STATES else "",
        event_type=kind if kind in LOG_KINDS else "",
        step=request.args.get("step", type=int),
    )


def requested_event() -> UUID | None:
    """Read the id of an event from the query; anything that is no id counts as left out."""
    try:
        return UUID(request.args.get("event", ""))
    except ValueError:
        return None
