"""The list of executions: its filter stands in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.executions.origins import find_origins
from flowforge.executions.search import LONGEST_TEXT, Filter, Position, search
from flowforge.triggers.kinds import trigger_kinds
from flowforge.workflows import list_fields
from flowforge.workflows.listing import choices
from flowforge.workflows.saved_filters import Listed
from webapp.context import session
from webapp.translation.texts import gettext, lazy, said
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.notices import tell
from webapp.ui.saved_filters import current_query, shown_filters
from webapp.ui.zones import read_local, write_local

SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
"""The short ways to say since when."""
SPAN_NAMES = {"1h": lazy("Last hour"), "24h": lazy("Last 24 hours"), "7d": lazy("Last 7 days")}


@blueprint.get("/executions")
def executions() -> str:
    wanted = _requested_filter()
    found = search(session(), viewer_id(), wanted, _position(), oldest_first=_is_oldest_first())
    return render_template(
        "executions/list.html",
        found=found,
        origins=find_origins(session(), viewer_id(), [row.id for row in found.rows]),
        list_field=list_fields.find(session(), viewer_id(), wanted.workflow_id) if wanted.workflow_id else None,
        oldest_first=_is_oldest_first(),
        saved_in=Listed.EXECUTIONS,
        saved=shown_filters(Listed.EXECUTIONS),
        savable=current_query(Listed.EXECUTIONS),
        workflows=choices(session(), viewer_id()),
        wanted=wanted,
        since=write_local(wanted.since) if "since" in request.args else "",
        until=write_local(wanted.until),
        span=_span(),
        spans=SPAN_NAMES,
        filtered=wanted != Filter(),
        statuses=list(Status),
        trigger_types=list(trigger_kinds()),
        link=_link,
    )


@blueprint.post("/workflows/<uuid:workflow_id>/list-field")
def choose_list_field(workflow_id: UUID) -> Any:
    try:
        list_fields.choose(session(), viewer_id(), workflow_id, list_fields.read(request.form.get("field", "")))
        tell(gettext("Saved."))
    except Invalid as error:
        tell(gettext("The field was not saved: it %(problem)s.", problem=said(error.problems[0].message)), "error")
    return redirect(url_for("ui.executions", workflow=workflow_id), 303)


def _is_oldest_first() -> bool:
    return request.args.get("order") == "oldest"


def _requested_filter() -> Filter:
    """Read the filter of the list; values that make no sense are ignored, since addresses may be old, or typed."""
    status = request.args.get("status", "").upper()
    span = _span()
    return Filter(
        workflow_id=_id(request.args.get("workflow", "")),
        status=Status(status) if status in set(Status) else None,
        trigger_type=request.args.get("trigger") or None,
        text=request.args.get("q", "").strip()[:LONGEST_TEXT],
        since=datetime.now(UTC) - SPANS[span] if span else read_local(request.args.get("since", "")),
        until=read_local(request.args.get("until", "")),
    )


def _span() -> str | None:
    span = request.args.get("last")
    return span if span in SPANS else None


def _position() -> Position | None:
    try:
        return Position.parse(request.args["at"]) if "at" in request.args else None
    except Invalid:
        return None


def _link(**changes: Any) -> str:
    """Build the address of this list with something changed, at its first page."""
    return asked_again(url_for("ui.executions"), **{"at": None, **changes})


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
