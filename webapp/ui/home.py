"""The first page: what failed, what runs, how much got done, what comes next, how the machinery does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import render_template, request

from flowforge.executions import dashboard as figures
from flowforge.executions import disk_space
from flowforge.executions.pipeline_health import health
from flowforge.executions.search import workflow_names
from flowforge.onboarding import guide
from flowforge.onboarding.gallery import first_templates
from flowforge.workflows import listing
from webapp.context import backends, session
from webapp.services import drafts
from webapp.translation.texts import lazy
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.templates import cards_of
from webapp.ui.zones import viewers_zone

SPANS = {"24h": lazy("Last 24 hours"), "7d": lazy("Last 7 days")}
_HOURS = {"24h": 24, "7d": 7 * 24}


@blueprint.get("/")
def home() -> str:
    guided = guide.guide_of(session(), drafts(), viewer_id())
    is_empty = guided is None and not listing.has_any(session(), viewer_id())
    beginning = {"guide": guided, "is_empty": is_empty, "cards": cards_of(first_templates()) if is_empty else ()}
    return render_template("home/show.html", zone=str(viewers_zone()), **beginning, **_now())


@blueprint.get("/home/now")
def home_now() -> str:
    """The part of the page that is refreshed every few seconds."""
    return render_template("home/_now.html", **_now())


def _now() -> dict[str, object]:
    span = request.args.get("last", "")
    span = span if span in SPANS else "24h"
    hours, now = _HOURS[span], datetime.now(UTC)
    failures = figures.failures(session(), viewer_id(), now - timedelta(hours=hours))
    running = figures.running(session(), viewer_id())
    next_runs = figures.next_runs(session(), viewer_id())
    workflow_ids = {row.workflow_id for row in (*failures, *running)} | {row.workflow_id for row in next_runs}
    return {
        "span": span,
        "spans": SPANS,
        "hours": hours,
        "throughput": figures.throughput(session(), viewer_id(), hours, now),
        "failures": failures,
        "running": running,
        "running_count": figures.count_running(session(), viewer_id()),
        "next_runs": next_runs,
        "names": workflow_names(session(), viewer_id(), workflow_ids),
        "health": health(backends()),
        "disk": disk_space.forecast(backends().engine),
    }
