"""Jobs in Valkey are data, whoever has written them."""

from __future__ import annotations

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.exceptions import DeserializationError
from rq.job import Job, JobStatus

from flowforge.settings import Settings
from workers.clock import Clock
from workers.periodic_jobs import periodic_jobs
from workers.task_jobs import RUNS_TASKS, TaskJob, TaskQueue


def run(queue: TaskQueue, redis: Redis) -> None:
    SimpleWorker([queue], connection=redis, **RUNS_TASKS).work(burst=True, logging_level="CRITICAL")


def test_a_job_that_is_a_pickle_is_not_loaded(redis: Redis) -> None:
    queue = TaskQueue("odd", connection=redis)
    pickled = Job.create("workers.tasks.prune", connection=redis, origin="odd")
    pickled.save()
    queue.push_job_id(pickled.id)

    run(queue, redis)

    assert TaskJob.fetch(pickled.id, connection=redis).get_status() is JobStatus.FAILED
    with pytest.raises(DeserializationError):
        _ = TaskJob.fetch(pickled.id, connection=redis).func_name


def test_a_job_can_be_nothing_but_a_task(redis: Redis) -> None:
    queue = TaskQueue("odd", connection=redis)
    job = queue.enqueue_call("builtins.print", args=("run",))

    run(queue, redis)

    assert job.get_status() is JobStatus.FAILED
    assert "none of our tasks" in str(job.latest_result().exc_string)


def test_the_clocks_jobs_are_json(settings: Settings, redis: Redis) -> None:
    Clock(periodic_jobs(settings), redis).reconcile()
    kept = [TaskJob.fetch(job.id, connection=redis).data for job in periodic_jobs(settings)]
    assert {data[:1] for data in kept} == {b"["}
