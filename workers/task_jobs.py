"""RQ's jobs as data: JSON, and the name of one of our tasks.

RQ pickles jobs by default, and calls whatever function a job names: whoever can write to Valkey could run anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

_TASKS = "workers.tasks."


class TaskJob(Job):
    """A job that can be nothing but a task."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:  # noqa: A002
        super().__init__(id, connection, JSONSerializer)

    @property
    def func(self) -> Callable[..., Any] | None:
        """The task. Raises ValueError for anything else."""
        if not str(self.func_name).startswith(_TASKS):
            raise ValueError(f"{self.func_name} is none of our tasks")
        task: Callable[..., Any] | None = super().func
        return task


class TaskQueue(Queue):
    """A queue of such jobs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "job_class": TaskJob, "serializer": JSONSerializer})


RUNS_TASKS: dict[str, Any] = {"job_class": TaskJob, "queue_class": TaskQueue, "serializer": JSONSerializer}
"""Options of a worker that runs them."""
