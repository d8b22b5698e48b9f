"""The jobs that run on a schedule, with the queue on which each waits for its worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowforge.settings import Settings
from workers import tasks

SCHEDULES, UPKEEP, CHORES = "schedules", "upkeep", "chores"
_PREFIX = "flowforge-"


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


def is_ours(job_id: str) -> bool:
    """Whether a job of that id is, or was in another release, one of these."""
    return job_id.startswith(_PREFIX)


def periodic_jobs(settings: Settings) -> list[Periodic]:
    jobs = [
        Periodic("start-schedules", SCHEDULES, tasks.start_schedules, 60, 60),
        Periodic("start-mailboxes", SCHEDULES, tasks.start_mailboxes, 60, 60),
        Periodic("polls", SCHEDULES, tasks.enqueue_polls, 2, 60),
        Periodic("resend", UPKEEP, tasks.resend, 5, 60),
        Periodic("repair-log", CHORES, tasks.repair_log, 5, 60),
        Periodic("count-usage", CHORES, tasks.count_usage, 10, 60),
        Periodic("tend-connections", CHORES, tasks.tend_connections, 10, 60),
        Periodic("prune", CHORES, tasks.prune, 600, 300),
        Periodic("note-free-space", CHORES, tasks.note_free_space, 600, 60),
    ]
    if settings.kafka_brokers:
        jobs.append(Periodic("topics", UPKEEP, tasks.make_topics, 5, 60))
    if settings.scheduler_enabled:
        every = max(1, settings.scheduler_check_interval // 1000)
        jobs.append(Periodic("schedules", SCHEDULES, tasks.fire_schedules, every, 60))
    return jobs
