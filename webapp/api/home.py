"""/api/v1/home: what the dashboard's first page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from flask import Blueprint
from pydantic import Field

from flowforge.executions import dashboard as figures
from flowforge.executions.dashboard import NextRun, Throughput
from flowforge.executions.pipeline_health import Health, health
from flowforge.executions.views import ExecutionSummary
from webapp.api import dashboard_schemas
from webapp.context import backends, session
from webapp.endpoint import Tag, endpoint
from webapp.identity import current_user_id
from webapp.query_params import NumberFromTo, Query

MOST_HOURS = 31 * 24

blueprint = Blueprint("home", __name__, url_prefix="/api/v1/home")


class ThroughputQuery(Query):
    hours: Annotated[int, NumberFromTo(1, MOST_HOURS)] = Field(24)


@dataclass(frozen=True, slots=True)
class Home:
    failures: Sequence[ExecutionSummary]
    running: Sequence[ExecutionSummary]
    running_count: int
    next_runs: Sequence[NextRun]
    health: Health


@blueprint.get("")
@endpoint(Tag.OVERVIEW, dashboard_schemas.Home)
def overview() -> Home:
    """Summarise the failures of the last 24 hours, what runs, what comes next, and the health of the workers"""
    user_id, yesterday = current_user_id(), datetime.now(UTC) - timedelta(days=1)
    return Home(
        failures=figures.failures(session(), user_id, yesterday),
        running=figures.running(session(), user_id),
        running_count=figures.count_running(session(), user_id),
        next_runs=figures.next_runs(session(), user_id),
        health=health(backends()),
    )


@blueprint.get("/throughput")
@endpoint(Tag.OVERVIEW, dashboard_schemas.Throughput, query=ThroughputQuery)
def throughput(query: ThroughputQuery) -> Throughput:
    """Count the executions that ended in each of the last hours, by status"""
    return figures.throughput(session(), current_user_id(), query.hours, datetime.now(UTC))
