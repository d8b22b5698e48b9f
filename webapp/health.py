"""/health/live, /health/ready and /metrics."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Literal

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from sqlalchemy import text
from werkzeug.exceptions import Forbidden

from flowforge.db.engine import unavailable_when_down
from flowforge.errors import Unauthorized, Unavailable
from flowforge.executions.pipeline_health import demand_workers
from flowforge.loopback import is_loopback_address
from flowforge.wiring import Backends
from webapp import metrics
from webapp.context import backends
from webapp.endpoint import TEXT, Answer, Tag, endpoint
from webapp.identity import bearer_token
from webapp.wire import Wire, left_out_when_none

logger = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)
metrics.install(blueprint)

READY_WITHIN_SECONDS = 4.0
_SILENT = "has not answered in time"
_WORKERS = "workers"
_ADDED_BY_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
_COUNT_LIMIT = 10_000
_UNFINISHED = {
    "events": "SELECT 1 FROM trigger_service.trigger_events WHERE handled_at IS NULL",
    "queued_steps": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'QUEUED'",
    "running_steps": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'RUNNING'",
    "unapplied_results": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'ENDED'",
}
_FINISHED = """
    SELECT status, count(*) FROM (
        SELECT status FROM orchestrator.workflow_executions
        WHERE finished_at > now() - interval '1 minute' ORDER BY finished_at DESC LIMIT :most
    ) AS bounded GROUP BY status
"""


class Live(Wire):
    status: Literal["up"]


class Ready(Wire):
    status: Literal["up", "down"]
    checks: dict[str, Literal["up", "down"]]
    problems: dict[str, str] | None = left_out_when_none("Of what is down, what is known about it.")


@blueprint.get("/health/live")
@endpoint(Tag.HEALTH, Live, public=True)
def live() -> Live:
    """Report that this process answers"""
    return Live(status="up")


@blueprint.get("/health/ready")
@endpoint(Tag.HEALTH, {200: Answer(Ready, "Ready"), 503: Answer(Ready, "Something is down")}, public=True)
def ready() -> tuple[Ready, int]:
    """Report whether everything this process needs answers, and name what does not

    Also where no worker is alive it is ready: what it accepts is kept until there is one. `checks` says so.
    """
    problems = _problems(_pings(backends()))
    up = not any(problem for name, problem in problems.items() if name != _WORKERS)
    known = {name: problem for name, problem in problems.items() if problem}
    checks = {name: _word(problem is None) for name, problem in problems.items()}
    return Ready(status=_word(up), checks=checks, problems=known or None), 200 if up else 503


def _word(up: bool) -> Literal["up", "down"]:
    return "up" if up else "down"


@blueprint.get("/metrics")
@endpoint(Tag.HEALTH, {200: Answer(None, "Metrics", TEXT)}, refuses=(401, 403), public=True)
def scrape() -> Response:
    """Prometheus: this process's requests, the topics' backlog, and work under way (counted up to 10,000). For
    METRICS_TOKEN, or from loopback where there is none"""
    _refuse_strangers()
    registry = CollectorRegistry()
    part_up = Gauge("flowforge_up", "Whether a part could be asked", ["part"], registry=registry)
    for part, gather in (("bus", _gather_lag), ("postgresql", _gather_work)):
        part_up.labels(part).set(_problem(part, lambda gather=gather: gather(registry)) is None)  # type: ignore[misc]
    text_ = generate_latest(metrics.counted().registry) + generate_latest(registry)
    return Response(text_, content_type=CONTENT_TYPE_LATEST)


def _refuse_strangers() -> None:
    """Raises Forbidden or Unauthorized. A proxy on this machine is on loopback, too, but speaks for others."""
    if any(name in request.headers for name in _ADDED_BY_PROXIES):
        raise Forbidden("the metrics are not given through a proxy")
    expected = backends().settings.metrics_token
    if expected is None:
        _require_loopback()
    elif not hmac.compare_digest(bearer_token().encode(), expected.get_secret_value().encode()):
        raise Unauthorized("METRICS_TOKEN is required as a bearer token")


def _require_loopback() -> None:
    if not is_loopback_address(request.remote_addr or ""):
        raise Forbidden("the metrics are given on loopback only; others need a METRICS_TOKEN")


def _gather_lag(registry: CollectorRegistry) -> None:
    lag = Gauge("flowforge_bus_lag", "Messages not yet acknowledged", ["topic", "group"], registry=registry)
    for (topic, group), count in backends().bus.lag().items():
        lag.labels(topic, group).set(count)


def _gather_work(registry: CollectorRegistry) -> None:
    work = Gauge("flowforge_work", "Rows in a state that will pass", ["kind"], registry=registry)
    finished = Gauge(
        "flowforge_executions_finished_last_minute", "Executions by terminal status", ["status"], registry=registry
    )
    with unavailable_when_down(), backends().engine.connect() as connection:
        for kind, query in _UNFINISHED.items():
            counted = f"SELECT count(*) FROM ({query} LIMIT {_COUNT_LIMIT}) AS bounded"  # noqa: S608
            work.labels(kind).set(connection.execute(text(counted)).scalar_one())
        for status, count in connection.execute(text(_FINISHED), {"most": _COUNT_LIMIT}):
            finished.labels(status).set(count)


def _pings(backends: Backends) -> dict[str, Callable[[], object]]:
    def postgres() -> None:
        with unavailable_when_down(), backends.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    return {
        "postgresql": postgres,
        "redis": lambda: backends.redis.ping(),
        "bus": lambda: backends.bus.ping(),
        "logbook": lambda: backends.logbook.ping(),
        _WORKERS: lambda: demand_workers(backends),
    }


def _problems(pings: dict[str, Callable[[], object]]) -> dict[str, str | None]:
    """Ping all in parallel; one that is silent for too long counts as down, its thread ends by its own time limit."""
    pool = ThreadPoolExecutor(len(pings), "ready")
    answers: dict[str, Future[str | None]] = {name: pool.submit(_problem, name, ping) for name, ping in pings.items()}
    pool.shutdown(wait=False)
    wait(answers.values(), READY_WITHIN_SECONDS)
    return {name: answer.result() if answer.done() else _SILENT for name, answer in answers.items()}


def _problem(name: str, ping: Callable[[], object]) -> str | None:
    """Returns what is wrong, fit to be shown to anybody; None where it answers."""
    try:
        ping()
    except Unavailable as error:
        logger.warning("%s: %s", name, error)
        return str(error)
    except RedisError as error:
        logger.warning("%s does not answer: %s", name, error)
        return "does not answer"
    return None
