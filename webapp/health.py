"""/health/live, /health/ready and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from sqlalchemy import text

from flowforge.db.engine import unavailable_when_down
from flowforge.errors import Unavailable
from flowforge.wiring import Backends
from webapp.context import backends

blueprint = Blueprint("health", __name__)

_OWED_COUNTED_TO = 10_000
_OWED = {
    "events": "SELECT 1 FROM trigger_service.trigger_events WHERE handled_at IS NULL",
    "queued_steps": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'QUEUED'",
    "running_steps": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'RUNNING'",
    "unapplied_results": "SELECT 1 FROM orchestrator.step_attempts WHERE state = 'ENDED'",
}


@blueprint.get("/health/live")
def live() -> Response:
    """Whether this process answers"""
    return jsonify({"status": "up"})


@blueprint.get("/health/ready")
def ready() -> tuple[Response, int]:
    """Whether everything this process needs answers; names what does not"""
    checks = {name: _state(ping) for name, ping in _pings(backends()).items()}
    up = all(state == "up" for state in checks.values())
    return jsonify({"status": "up" if up else "down", "checks": checks}), 200 if up else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus: backlog of the topics, and work that is under way (counted up to 10,000)"""
    registry = CollectorRegistry()
    lag = Gauge("flowforge_bus_lag", "Messages not yet acknowledged", ["topic", "group"], registry=registry)
    for (topic, group), count in backends().bus.lag().items():
        lag.labels(topic, group).set(count)
    work = Gauge("flowforge_work", "Rows in a state that will pass", ["kind"], registry=registry)
    with unavailable_when_down(), backends().engine.connect() as connection:
        for kind, query in _OWED.items():
            counted = f"SELECT count(*) FROM ({query} LIMIT {_OWED_COUNTED_TO}) AS bounded"  # noqa: S608
            work.labels(kind).set(connection.execute(text(counted)).scalar_one())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _pings(backends: Backends) -> dict[str, Callable[[], object]]:
    def postgres() -> None:
        with unavailable_when_down(), backends.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    return {
        "postgresql": postgres,
        "redis": lambda: backends.redis.ping(),
        "bus": lambda: backends.bus.ping(),
        "logbook": lambda: backends.logbook.ping(),
    }


def _state(ping: Callable[[], object]) -> str:
    try:
        ping()
    except (Unavailable, RedisError) as error:
        return f"down: {error}"
    return "up"
