"""/api/v1/home: what the dashboard's first page shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, jsonify, request

from flowforge.errors import Invalid
from flowforge.executions import dashboard as figures
from flowforge.executions.pipeline_health import health, health_fields
from webapp.api.finding import execution_fields
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in

MOST_HOURS = 31 * 24

blueprint = Blueprint("home", __name__, url_prefix="/api/v1/home")


@blueprint.get("")
@signed_in
def overview() -> Response:
    """What failed in the last 24 hours, what runs, what comes next, and how the workers do"""
    user_id, now = current_user_id(), datetime.now(UTC)
    return jsonify(
        {
            "failures": [
                execution_fields(row) for row in figures.failures(session(), user_id, now - timedelta(days=1))
            ],
            "running": [execution_fields(row) for row in figures.running(session(), user_id)],
            "runningCount": figures.count_running(session(), user_id),
            "nextRuns": [
                {"workflowId": row.workflow_id, "triggerId": row.id, "at": row.next_scheduled_at}
                for row in figures.next_runs(session(), user_id)
            ],
            "health": health_fields(health(backends())),
        }
    )


@blueprint.get("/throughput")
@signed_in
def throughput() -> Response:
    """How many executions ended in each of the last hours, by how they ended"""
    found = figures.throughput(session(), current_user_id(), _hours(), datetime.now(UTC))
    return jsonify({"hours": [figures.hour_fields(hour) for hour in found.hours], "successRate": found.success_rate})


def _hours() -> int:
    text = request.args.get("hours", "24")
    if not text.isdecimal() or not 1 <= int(text) <= MOST_HOURS:
        raise Invalid.at("/hours", f"must be a whole number from 1 to {MOST_HOURS}")
    return int(text)
