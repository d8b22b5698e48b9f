"""The list of executions: its filter stands in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for

from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.executions.search import (
    LONGEST_TEXT,
    Filter,
    Position,
    search,
    workflow_names,
)
from flowforge.triggers.kinds import trigger_kinds
from flowforge.workflows.listing import choices
from webapp.context import session
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.zones import read_local, write_local

SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
"""The short ways to say since when."""


@blueprint.get("/executions")
def executions() -> str:
    wanted = _requested_filter()
    found = search(session(), viewer_id(), wanted, _position())
    return render_template(
        "executions/list.html",
        found=found,
        names=workflow_names(session(), viewer_id(), {row.workflow_id for row in found.rows}),
        workflows=choices(session(), viewer_id()),
        wanted=wanted,
        since=write_local(wanted.since) if "since" in request.args else "",
        until=write_local(wanted.until),
        span=_span(),
        spans=list(SPANS),
        filtered=wanted != Filter(),
        statuses=list(Status),
        trigger_types=list(trigger_kinds()),
        link=_link,
    )


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
