"""Health of the pipeline: which processes are alive, and how far each consumer is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError
from rq import Worker

from flowforge.errors import Unavailable
from flowforge.sentences import sentence
from flowforge.wiring import Backends

MUCH = 100
"""Messages that wait: more than a moment's work."""


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """A process that RQ knows. `jobs` names what it hosts or works on."""

    name: str
    jobs: str
    last_heartbeat: datetime | None


@dataclass(frozen=True, slots=True)
class Lag:
    topic: str
    group: str
    waiting: int

    @property
    def state(self) -> str:
        return "UP" if self.waiting <= MUCH else "BEHIND"


@dataclass(frozen=True, slots=True)
class Health:
    """Health of the pipeline; a part that does not answer is None."""

    workers: Sequence[LivingWorker] | None
    lags: Sequence[Lag] | None
    bus_problem: str | None = None
    """Why the event bus carries nothing now."""

    @property
    def missing(self) -> list[str]:
        """Consumers that no process hosts: without them executions stand still."""
        if self.workers is None:
            return []
        hosted = {job for worker in self.workers for job in worker.jobs.split(", ")}
        return [name for name in ("orchestrator", "executor", "log-sink") if name not in hosted]


def demand_workers(backends: Backends) -> None:
    """Raises Unavailable where consumers are missing, or nobody knows."""
    found = Health(_workers(backends), None)
    if found.workers is None:
        raise Unavailable(sentence("which workers are alive is not known while Valkey does not answer"))
    if found.missing:
        raise Unavailable(
            sentence("no worker hosts %(names)s: what is accepted waits for one", names=", ".join(found.missing))
        )


def health(backends: Backends) -> Health:
    problem = _bus_problem(backends)
    return Health(_workers(backends), None if problem else _lags(backends), problem)


def _bus_problem(backends: Backends) -> str | None:
    try:
        backends.bus.ping()
    except Unavailable as error:
        return str(error)
    return None


def _workers(backends: Backends) -> list[LivingWorker] | None:
    try:
        alive = Worker.all(connection=backends.redis)
    except RedisError:
        return None
    found = [
        LivingWorker(worker.name, ", ".join(worker.queue_names()), _utc(worker.last_heartbeat)) for worker in alive
    ]
    return sorted(found, key=lambda worker: (worker.jobs, worker.name))


def _lags(backends: Backends) -> list[Lag] | None:
    try:
        return [Lag(topic, group, count) for (topic, group), count in sorted(backends.bus.lag().items())]
    except (Unavailable, RedisError):
        return None


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
