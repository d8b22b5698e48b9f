"""Polling: triggers that are due are put on their queue, each poll is a finite job of its own.

The rules stand in flowforge.triggers.polling.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.timeouts import JobTimeoutException

from flowforge.settings import Settings
from flowforge.triggers.polling import due, polling
from flowforge.triggers.polling.poll import POLL_LIMITS, PollLimits
from flowforge.wiring import Backends
from workers.task_jobs import TaskJob, TaskQueue

QUEUE = "polls"
POLL_JOB = "workers.tasks.poll"
_JOB_KEPT_SECONDS = 3600
_TAKING_SECONDS = 15
_JOB_PREFIX = "poll-"


def enqueue_due(backends: Backends, connection: Redis, now: datetime | None = None) -> int:
    """Put a poll of every due trigger on the queue, unless one waits there already; returns how many are new."""
    moment = now or datetime.now(UTC)
    queue = TaskQueue(QUEUE, connection=connection)
    polled = {*map(_trigger_of, queue.job_ids), *_running(queue)}
    taken = due.take_due(backends, moment, polled)
    return sum(_enqueue(queue, trigger_id, backends.settings) for trigger_id in taken)


def are_waiting(connection: Redis) -> bool:
    """Whether a poll waits for a worker."""
    return TaskQueue(QUEUE, connection=connection).count > 0


def run_poll(backends: Backends, trigger_id: UUID, limits: PollLimits = POLL_LIMITS) -> None:
    """Do one job of the queue. Raises Unavailable."""
    running = _running(TaskQueue(QUEUE, connection=backends.redis))
    before = running[: running.index(trigger_id)] if trigger_id in running else running
    if due.may_run(backends, trigger_id, before):
        polling.run_poll(backends, trigger_id, JobTimeoutException, limits)


def _running(queue: Queue) -> list[UUID]:
    """The triggers that are polled now, in the order in which that began."""
    jobs = TaskJob.fetch_many(queue.started_job_registry.get_job_ids(), connection=queue.connection)
    began = {job.id: job.started_at for job in jobs if job is not None and job.started_at is not None}
    return [_trigger_of(job_id) for job_id in sorted(began, key=lambda job_id: (began[job_id], job_id))]


def _trigger_of(job_id: str) -> UUID:
    return UUID(job_id.removeprefix(_JOB_PREFIX))


def _enqueue(queue: Queue, trigger_id: UUID, settings: Settings) -> bool:
    job_id = f"{_JOB_PREFIX}{trigger_id}"
    for _ in range(2):
        try:
            queue.enqueue_call(
                POLL_JOB,
                args=(str(trigger_id),),
                job_id=job_id,
                unique=True,
                timeout=settings.mailbox_time_limit,
                ttl=_JOB_KEPT_SECONDS,
                result_ttl=0,
                failure_ttl=_JOB_KEPT_SECONDS,
                description=f"poll trigger {trigger_id}",
            )
            return True
        except DuplicateJobError:
            if not _forget_ended(job_id, queue, settings):
                return False
    return False


def _forget_ended(job_id: str, queue: Queue, settings: Settings) -> bool:
    """A job that has ended, or was lost, makes room for the next one of its name; one that waits or runs does not."""
    try:
        job = TaskJob.fetch(job_id, connection=queue.connection)
    except NoSuchJobError:
        return True
    match job.get_status(refresh=False):
        case JobStatus.QUEUED:
            is_alive = _is_queued(job, queue) or not _is_silent(job, _TAKING_SECONDS)
        case JobStatus.STARTED:
            is_alive = not _is_silent(job, settings.mailbox_time_limit + _TAKING_SECONDS)
        case _:
            is_alive = False
    if not is_alive:
        job.delete()
    return not is_alive


def _is_queued(job: Job, queue: Queue) -> bool:
    return queue.connection.lpos(queue.key, job.id) is not None


def _is_silent(job: Job, seconds: float) -> bool:
    """A worker took it and died."""
    last_sign = job.last_heartbeat or job.enqueued_at
    return last_sign is None or datetime.now(UTC) - last_sign > timedelta(seconds=seconds)
