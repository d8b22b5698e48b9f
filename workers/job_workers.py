"""RQ's workers, as our jobs need them: for ticks that are short and many, and for jobs that may hang."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from redis.client import Pipeline
from rq import Queue, SimpleWorker, Worker, worker_registration
from rq.job import Job
from rq.timeouts import JobTimeoutException

from workers.prefork import die_with

_HEARTBEAT_SECONDS = 5.0

log = logging.getLogger(__name__)


class _Registered:
    """Registers a worker from its start, and again when Valkey was emptied, so that `rq info` shows it."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False
    _next_heartbeat = 0.0

    def heartbeat(self: Any, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Sends no more than one in a few seconds, of those that RQ asks for around each job."""
        if timeout is None and pipeline is None:
            if time.monotonic() < self._next_heartbeat:
                return
            self._next_heartbeat = time.monotonic() + _HEARTBEAT_SECONDS
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
    """Runs jobs in its own process: for those that are short and ours alone.

    Nobody asks what became of a tick, and the next one comes in a moment. So of RQ's accounts of a job, sixty commands,
    only the worker's own count is kept; an error is in the log.
    """

    def execute_job(self, job: Job, queue: Queue) -> None:
        with self.connection.pipeline(transaction=False) as pipeline:
            self.heartbeat(self.get_heartbeat_ttl(job), pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()
        try:
            with self.death_penalty_class(job.timeout, JobTimeoutException, job_id=job.id):
                job.perform()
        except Exception:
            log.exception("the job %s failed", job.description)
            self.increment_failed_job_count()
        else:
            self.increment_successful_job_count()


class ForkWorker(_Registered, Worker):
    """Runs each job in a process of its own, which ends with the worker."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with(self.pid or os.getppid())
        super().main_work_horse(job, queue)
