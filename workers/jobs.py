"""`python -m workers.jobs`: everything that runs on a schedule, hosted on RQ.

rq-scheduler puts the periodic jobs on their queues; RQ workers run them. Schedules, upkeep and chores have a worker
each, so that none waits for another. Their jobs run inside it, which costs little. Polls run in processes of their own,
which can be ended whatever they hang in; their workers are started when polls wait, and end when none has come for a
while.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

from redis import Redis

from flowforge.db.schema import exit_on_other_schema
from flowforge.ids import member_name
from flowforge.settings import Settings
from flowforge.wiring import Backends, connect_redis
from workers import polls, tasks
from workers.clock import keep_time
from workers.job_workers import ForkWorker, TickWorker
from workers.periodic_jobs import CHORES, SCHEDULES, UPKEEP, periodic_jobs
from workers.prefork import Child, Prefork, start_children_on_demand
from workers.preloading import load_shared
from workers.task_jobs import RUNS_TASKS

_WORKER_TTL = 30  # an idle worker says that it is alive every 15 s
_MAINTENANCE_SECONDS = 60
_LONGEST_IDLE_SECONDS = 30
"""Seconds after which a worker for polls ends that has had none."""


def tick(settings: Settings) -> None:
    """Runs the clock, and the worker for what must happen on time."""
    threading.Thread(target=keep_time, args=(periodic_jobs(settings), _connect(settings)), daemon=True).start()
    run_ticks(SCHEDULES, settings)


def run_ticks(queue: str, settings: Settings) -> None:
    """Runs the jobs of a queue until SIGTERM."""
    _use_backends(queue, settings)
    _worker(TickWorker, queue, settings).work(logging_level="WARNING")


def run_polls(settings: Settings) -> None:
    """Runs polls until there have been none for a while, or SIGTERM."""
    _use_backends(polls.QUEUE, settings)
    _worker(ForkWorker, polls.QUEUE, settings).work(logging_level="WARNING", max_idle_time=_LONGEST_IDLE_SECONDS)


def children(settings: Settings) -> list[Child]:
    ticks = [Child(queue, partial(run_ticks, queue, settings)) for queue in (UPKEEP, CHORES)]
    pollers = [
        Child(f"{polls.QUEUE} {number}", partial(run_polls, settings), on_demand=True)
        for number in range(1, settings.mailbox_workers + 1)
    ]
    return [Child("ticks", partial(tick, settings)), *ticks, *pollers]


def _use_backends(queue: str, settings: Settings) -> None:
    tasks.use(Backends(settings, f"flowforge-{queue}"), when_polls_wait=start_children_on_demand)


def _worker(kind: type[TickWorker] | type[ForkWorker], queue: str, settings: Settings) -> TickWorker | ForkWorker:
    return kind(
        [queue],
        name=member_name(queue),
        connection=_connect(settings),
        worker_ttl=_WORKER_TTL,
        maintenance_interval=_MAINTENANCE_SECONDS,
        log_job_description=False,
        **RUNS_TASKS,
    )


def _connect(settings: Settings) -> Redis:
    if settings.redis_url is None:
        raise SystemExit("REDIS_URL is not set; `make run` starts an embedded Valkey and sets it")
    return connect_redis(settings.redis_url)


def main() -> None:
    settings = Settings()
    exit_on_other_schema(settings.postgres_url)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("rq_scheduler").setLevel(logging.WARNING)
    load_shared(settings)
    Prefork(children(settings)).run()


if __name__ == "__main__":
    main()
