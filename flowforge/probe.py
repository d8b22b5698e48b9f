"""Health checks for containers: one question to one process, answered by an exit code."""

from __future__ import annotations

import http.client
import json
import socket
from datetime import UTC, datetime, timedelta

from flowforge.settings import Settings

_SILENCE = timedelta(minutes=2)


def ask_readiness(settings: Settings, timeout: float = 5) -> tuple[bool, str]:
    """Ask whether this machine's web server is ready, and return its answer; a server that is down is not ready."""
    connection = http.client.HTTPConnection(reachable_host(settings.host), settings.port, timeout=timeout)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        body = response.read(65536)
        return response.status == http.client.OK, json.dumps(json.loads(body))
    except (OSError, http.client.HTTPException):
        return False, "the web server does not answer"
    except ValueError:
        return False, "the web server's answer is not JSON"
    finally:
        connection.close()


def reachable_host(listening: str) -> str:
    """The host by which a server that listens on `listening` is reached on its own machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listening, listening)  # noqa: S104  compared, not bound


def a_worker_of_this_host_lives(settings: Settings) -> bool:
    """Whether RQ has heard of a worker on this host in the last two minutes."""
    from rq import Worker

    from flowforge.wiring import connect_redis

    if settings.redis_url is None:
        return False
    here, now = socket.gethostname(), datetime.now(UTC)
    with connect_redis(settings.redis_url) as redis:
        return any(
            worker.hostname == here and worker.last_heartbeat and now - _in_utc(worker.last_heartbeat) < _SILENCE
            for worker in Worker.all(connection=redis)
        )


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
