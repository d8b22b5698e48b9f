"""The clock: rq-scheduler, which puts the periodic jobs on their queues once a second.

What it keeps in Valkey is only the hint that something should be looked at: emptied, it is filled again within a
second.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from datetime import datetime

from redis import Redis
from redis.exceptions import RedisError
from rq_scheduler import Scheduler
from rq_scheduler.utils import to_unix

from workers.periodic_jobs import Periodic, is_ours
from workers.task_jobs import TaskJob, TaskQueue

CLOCK_SECONDS = 1

log = logging.getLogger(__name__)


class Clock(Scheduler):  # type: ignore[misc]
    """rq-scheduler, kept to a given list of jobs whatever happens to Valkey."""

    job_class = TaskJob
    queue_class = TaskQueue

    def __init__(self, jobs: Sequence[Periodic], connection: Redis) -> None:
        super().__init__(connection=connection, interval=CLOCK_SECONDS)
        self._jobs = {job.id: job for job in jobs}

    def reconcile(self) -> None:
        """Schedules exactly our jobs, as they are defined now. Jobs of others are left alone."""
        for scheduled in self.connection.zrange(self.scheduled_jobs_key, 0, -1):
            job_id = scheduled.decode()
            if is_ours(job_id) and job_id not in self._jobs:
                self.cancel(job_id)
        for job in self._jobs.values():
            self._schedule(job)

    def enqueue_jobs(self) -> None:
        """Queues what is due. A job that Valkey has lost is due, and so is one that is later than its interval: the
        clock was set back.

        Of our jobs nothing is written but that they wait, and when they are due again: they are too many, a minute, to
        keep RQ's accounts of each.
        """
        scores = self.connection.zmscore(self.scheduled_jobs_key, list(self._jobs))
        now = to_unix(datetime.utcnow())
        self._enqueue_once(
            [
                job
                for job, score in zip(self._jobs.values(), scores, strict=True)
                if score is None or not now < score <= now + job.seconds
            ],
            now,
        )
        super().enqueue_jobs()  # of others

    def _enqueue_once(self, due: Sequence[Periodic], now: float) -> None:
        """Queues each once while its worker is away, not once for every time it was due."""
        with self.connection.pipeline(transaction=False) as pipeline:
            for job in due:
                pipeline.exists(TaskJob.key_for(job.id))
                pipeline.lpos(self._queue_of(job).key, job.id)
            answers = pipeline.execute()
        for job, is_known in zip(due, answers[::2], strict=True):
            if not is_known:
                self._schedule(job)
        with self.connection.pipeline(transaction=False) as pipeline:
            for job, place in zip(due, answers[1::2], strict=True):
                if place is None:
                    self._queue_of(job).push_job_id(job.id, pipeline)
                pipeline.zadd(self.scheduled_jobs_key, {job.id: now + job.seconds})
            pipeline.execute()

    def _queue_of(self, job: Periodic) -> TaskQueue:
        return TaskQueue(job.queue, connection=self.connection)

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


def keep_time(jobs: Sequence[Periodic], connection: Redis) -> None:
    """Runs the clock for ever, in a thread of its own; what it cannot go on from ends the process."""
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
