"""`python -m workers.jobs`: everything that runs on a schedule, hosted on RQ.

rq-scheduler puts the periodic jobs on their queues; RQ workers run them. Schedules, upkeep, chores and polling have a
worker each, so that none waits for another. Their jobs run inside it, which costs little; polls run in a
process of their own, which can be ended whatever it hangs in. What is kept in Valkey is only the hint that something
should be looked at: emptied, it is filled again within a second.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, Worker, worker_registration
from rq.job import Job
from rq_scheduler import Scheduler
from rq_scheduler.utils import to_unix

from flowforge.db.schema import exit_on_other_schema
from flowforge.ids import member_name
from flowforge.settings import Settings
from flowforge.triggers.kinds import trigger_kinds
from flowforge.wiring import Backends, connect_redis
from workers import polls, tasks
from workers.prefork import Child, Prefork, die_with
from workers.task_jobs import RUNS_TASKS, TaskJob, TaskQueue

SCHEDULES, UPKEEP, CHORES, POLLING = "schedules", "upkeep", "chores", "polling"
CLOCK_SECONDS = 1
_PREFIX = "flowforge-"
_WORKER_TTL = 30  # an idle worker says that it is alive every 15 s
_MAINTENANCE_SECONDS = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that is put on its queue every so many seconds, unless it waits there still."""

    name: str
    queue: str
    run: Callable[[], None]
    seconds: int
    time_limit: int

    @property
    def id(self) -> str:
        return _PREFIX + self.name


def periodic_jobs(settings: Settings) -> list[Periodic]:
    jobs = [
        Periodic("start-schedules", SCHEDULES, tasks.start_schedules, 60, 60),
        Periodic("resend", UPKEEP, tasks.resend, 5, 60),
        Periodic("repair-log", CHORES, tasks.repair_log, 5, 60),
        Periodic("count-usage", CHORES, tasks.count_usage, 10, 60),
        Periodic("tend-connections", CHORES, tasks.tend_connections, 10, 60),
        Periodic("prune", CHORES, tasks.prune, 600, 300),
        Periodic("note-free-space", CHORES, tasks.note_free_space, 600, 60),
        Periodic("start-mailboxes", POLLING, tasks.start_mailboxes, 60, 60),
        Periodic("polls", POLLING, tasks.enqueue_polls, 2, 60),
    ]
    if settings.kafka_brokers:
        jobs.append(Periodic("topics", UPKEEP, tasks.make_topics, 5, 60))
    if settings.scheduler_enabled:
        every = max(1, settings.scheduler_check_interval // 1000)
        jobs.append(Periodic("schedules", SCHEDULES, tasks.fire_schedules, every, 60))
    return jobs


class Clock(Scheduler):  # type: ignore[misc]
    """rq-scheduler, kept to a given list of jobs whatever happens to Valkey."""

    job_class = TaskJob
    queue_class = TaskQueue

    def __init__(self, jobs: Sequence[Periodic], connection: Redis) -> None:
        super().__init__(connection=connection, interval=CLOCK_SECONDS)
        self._jobs = jobs

    def reconcile(self) -> None:
        """Schedules exactly our jobs, as they are defined now. Jobs of others are left alone."""
        wanted = {job.id for job in self._jobs}
        for scheduled in self.connection.zrange(self.scheduled_jobs_key, 0, -1):
            job_id = scheduled.decode()
            if job_id.startswith(_PREFIX) and job_id not in wanted:
                self.cancel(job_id)
        for job in self._jobs:
            self._schedule(job)

    def enqueue_jobs(self) -> None:
        """Queues what is due. A job that Valkey has lost is due, and so is one that is later than its interval: the
        clock was set back."""
        scores = self.connection.zmscore(self.scheduled_jobs_key, [job.id for job in self._jobs])
        now = to_unix(datetime.utcnow())
        for job, score in zip(self._jobs, scores, strict=True):
            if score is None or score > now + job.seconds:
                self._schedule(job)
        super().enqueue_jobs()

    def enqueue_job(self, job: Job) -> None:
        """Queues a job once while its worker is away, not once for every time it was due."""
        if self.connection.lpos(TaskQueue(job.origin, connection=self.connection).key, job.id) is None:
            super().enqueue_job(job)

    def run(self, burst: bool = False) -> None:
        """Queues what is due once a second, as no clock that may be set counts it."""
        while True:
            if self.acquire_lock():
                self.enqueue_jobs()
                self.remove_lock()
            if burst:
                return
            time.sleep(CLOCK_SECONDS)

    def acquire_lock(self) -> bool:
        """Takes a short lock, so that a scheduler that was killed does not stop the clock. Two at once would do no
        harm."""
        self._lock_acquired = self.connection.set(self.scheduler_lock_key, self.name, ex=2 * CLOCK_SECONDS, nx=True)
        return bool(self._lock_acquired)

    def _schedule(self, job: Periodic) -> None:
        self.schedule(
            scheduled_time=datetime.utcnow(),  # rq-scheduler counts in naive UTC
            func=job.run,
            interval=job.seconds,
            id=job.id,
            queue_name=job.queue,
            timeout=job.time_limit,
            description=job.name,
        )


class _Registered:
    """Registers a worker from its start, and again when Valkey was emptied, so that `rq info` shows it."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False

    def heartbeat(self: Any, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        super().heartbeat(timeout, pipeline)  # type: ignore[misc]
        if pipeline is None and not self.connection.sismember(self.redis_workers_keys, self.key):
            self._register()

    def bootstrap(self: Any, *arguments: Any) -> None:
        super().bootstrap(*arguments)  # type: ignore[misc]
        self._register()

    def _register(self: Any) -> None:
        """In one transaction: of a Valkey that is emptied in between, `heartbeat` would see that it is registered."""
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
            pipeline.sadd(Queue.redis_queues_keys, *self.queue_keys())  # `rq info` asks queues for their workers
            pipeline.execute()


class TickWorker(_Registered, SimpleWorker):
    """Runs jobs in its own process: for those that are short and ours alone."""


class ForkWorker(_Registered, Worker):
    """Runs each job in a process of its own, which ends with the worker."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with(self.pid or os.getppid())
        super().main_work_horse(job, queue)


def tick(settings: Settings) -> None:
    """Runs the clock, and the worker for what must happen on time."""
    threading.Thread(target=_keep_time, args=(settings,), daemon=True).start()
    work(TickWorker, [SCHEDULES], settings)


def work(kind: type[TickWorker] | type[ForkWorker], queues: Sequence[str], settings: Settings) -> None:
    """Runs one RQ worker until SIGTERM."""
    name = "+".join(queues)
    tasks.use(Backends(settings, f"flowforge-{name}"))
    worker = kind(
        queues,
        name=member_name(name),
        connection=_connect(settings),
        worker_ttl=_WORKER_TTL,
        maintenance_interval=_MAINTENANCE_SECONDS,
        log_job_description=False,
        **RUNS_TASKS,
    )
    worker.work(logging_level="WARNING")


def children(settings: Settings) -> list[Child]:
    ticks = [Child(queue, partial(work, TickWorker, [queue], settings)) for queue in (UPKEEP, CHORES, POLLING)]
    pollers = [
        Child(f"{polls.QUEUE} {number}", partial(work, ForkWorker, [polls.QUEUE], settings))
        for number in range(1, settings.mailbox_workers + 1)
    ]
    return [Child("ticks", partial(tick, settings)), *ticks, *pollers]


def _keep_time(settings: Settings) -> None:
    jobs, connection = periodic_jobs(settings), _connect(settings)
    try:
        while True:
            try:
                clock = Clock(jobs, connection)
                clock.reconcile()
                clock.run()
            except RedisError as error:
                log.warning("The clock waits for Valkey: %s", error)
                time.sleep(CLOCK_SECONDS)
    except BaseException:
        log.exception("The clock stopped; its process ends, and is started again")
        os._exit(1)


def _connect(settings: Settings) -> Redis:
    if settings.redis_url is None:
        raise SystemExit("REDIS_URL is not set; `make run` starts an embedded Valkey and sets it")
    return connect_redis(settings.redis_url)


def _load_shared(settings: Settings) -> None:
    """Loads, once before the forks, modules that are loaded on first use: a poll begins in a process that has all
    connectors already. Connects to nothing."""
    trigger_kinds()
    backends = Backends(settings, "flowforge-jobs")
    _ = backends.engine, backends.logbook
    backends.close()


def main() -> None:
    settings = Settings()
    exit_on_other_schema(settings.postgres_url)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("rq_scheduler").setLevel(logging.WARNING)
    _load_shared(settings)
    Prefork(children(settings)).run()


if __name__ == "__main__":
    main()
