"""Administration, System: the processes that are alive, the queues between them, the disk of the database."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from flowforge.accounts import administration
from flowforge.executions import disk_space
from flowforge.executions.pipeline_health import health
from webapp.context import backends, session
from webapp.translation.texts import lazy
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id

WORKERS = {
    "orchestrator": lazy("Orchestrator"),
    "executor": lazy("Executor"),
    "log-sink": lazy("Log writer"),
    "schedules": lazy("Scheduler"),
    "upkeep": lazy("Recovery"),
    "chores": lazy("Maintenance"),
    "polling": lazy("Poll scheduler"),
    "polls": lazy("Poller"),
}
"""The names that people see of what workers host: consumers and queues of periodic jobs."""


@blueprint.get("/administration")
def administration_start() -> Response:
    return redirect(url_for("ui.system"), 303)


@blueprint.get("/administration/system")
def system() -> str:
    administration.require_administrator(session(), viewer_id())
    return render_template(
        "administration/system.html", health=health(backends()), disk=disk_space.forecast(backends().engine)
    )


@blueprint.app_template_filter()
def worker_names(jobs: str) -> str:
    """`orchestrator, log-sink` as `Orchestrator, Log writer`."""
    return ", ".join(str(WORKERS.get(job, job)) for job in jobs.split(", "))
