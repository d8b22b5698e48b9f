"""The jobs program for real: its clock, its workers, and what it survives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis import Redis
from rq import Worker
from sqlalchemy import Engine

from flowforge.events import TRIGGER_EVENTS
from flowforge.settings import Settings
from tests.services.imap import running_imap
from tests.services.processes import start_server
from tests.triggers.registrations import change, events, register, trigger
from tests.waiting import eventually
from workers.clock import Clock
from workers.job_workers import TickWorker
from workers.periodic_jobs import UPKEEP, periodic_jobs
from workers.task_jobs import RUNS_TASKS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def jobs(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = start(settings)
    yield process
    process.terminate()
    assert process.wait(15) == 0


def start(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "POSTGRES_URL": str(settings.postgres_url),
        "REDIS_URL": str(settings.redis_url),
        "FLOWFORGE_HOME": str(settings.home),
        "ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        "MAILBOX_TIME_LIMIT": "8",
    }
    return start_server([sys.executable, "-m", "workers.jobs"], None, env=environment, cwd=ROOT)


def children(parent: int) -> list[int]:
    with open(f"/proc/{parent}/task/{parent}/children") as file:
        return [int(pid) for pid in file.read().split()]


def is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def fires(engine: Engine, schedule: UUID) -> bool:
    """Whether it fires when it comes due now."""
    known = len(events(engine, schedule))
    change(engine, schedule, next_scheduled_at=datetime.now(UTC))
    return eventually(lambda: len(events(engine, schedule)) > known)


def far_schedule(engine: Engine) -> UUID:
    return register(engine, "scheduler", {}, next_scheduled_at=datetime.now(UTC) + timedelta(days=1))


def worker_pid(redis: Redis, queue: str) -> int | None:
    """The process of the worker of that queue, once it has registered."""
    return next((worker.pid for worker in Worker.all(connection=redis) if worker.queue_names() == [queue]), None)


class TestProgram:
    def test_schedules_fire_also_after_valkey_was_emptied(
        self, jobs: subprocess.Popen[bytes], engine: Engine, redis: Redis
    ) -> None:
        schedule = far_schedule(engine)
        assert fires(engine, schedule)
        redis.flushall()
        assert fires(engine, schedule)

    def test_its_workers_show_up_also_after_valkey_was_emptied(
        self, jobs: subprocess.Popen[bytes], redis: Redis
    ) -> None:
        def all_are_shown() -> bool:
            queues = sorted(",".join(worker.queue_names()) for worker in Worker.all(connection=redis))
            assert queues == ["chores", "schedules", "upkeep"]
            return True

        eventually(all_are_shown)
        redis.flushall()
        eventually(all_are_shown)

    def test_redelivery_and_schedules_wait_for_no_chore(
        self, jobs: subprocess.Popen[bytes], engine: Engine, redis: Redis
    ) -> None:
        chores = eventually(lambda: worker_pid(redis, "chores"))
        os.kill(chores, signal.SIGSTOP)
        try:
            schedule = far_schedule(engine)
            assert fires(engine, schedule)
            redis.delete(f"flowforge:{TRIGGER_EVENTS}")
            eventually(lambda: redis.exists(f"flowforge:{TRIGGER_EVENTS}"))
        finally:
            os.kill(chores, signal.SIGCONT)

    def test_a_child_that_dies_is_replaced(self, jobs: subprocess.Popen[bytes], engine: Engine) -> None:
        schedule = far_schedule(engine)
        assert fires(engine, schedule)
        for child in children(jobs.pid):
            os.kill(child, signal.SIGKILL)
        assert fires(engine, schedule)

    def test_its_children_die_with_it(self, settings: Settings, engine: Engine) -> None:
        process = start(settings)
        assert fires(engine, far_schedule(engine))
        family = children(process.pid)
        process.kill()
        process.wait()
        assert len(family) == 3
        eventually(lambda: all(map(is_gone, family)))

    def test_sigterm_ends_it_within_ten_seconds(self, settings: Settings, engine: Engine) -> None:
        process = start(settings)
        assert fires(engine, far_schedule(engine))
        family = children(process.pid)
        process.terminate()
        assert process.wait(10) == 0
        assert all(map(is_gone, family))

    def test_a_dead_mailbox_holds_up_neither_another_nor_schedules_nor_the_end(
        self, jobs: subprocess.Popen[bytes], engine: Engine
    ) -> None:
        soon = datetime.now(UTC)
        with running_imap() as server, _silent_server() as silent_port:
            dead = register(engine, "email", server.config() | {"port": silent_port}, next_scheduled_at=soon)
            live = register(engine, "email", server.config(), next_scheduled_at=soon)
            server.deliver("Order 17")
            eventually(lambda: len(events(engine, live)) == 1)
            assert fires(engine, far_schedule(engine))
            eventually(lambda: trigger(engine, live)["last_success_at"])
            eventually(lambda: trigger(engine, dead)["last_error"])

    def test_workers_for_polls_run_only_while_there_are_polls(
        self, jobs: subprocess.Popen[bytes], engine: Engine, redis: Redis
    ) -> None:
        eventually(lambda: worker_pid(redis, "schedules"))
        assert worker_pid(redis, "polls") is None
        with running_imap() as server:
            register(engine, "email", server.config(), next_scheduled_at=datetime.now(UTC))
            eventually(lambda: worker_pid(redis, "polls"))


def test_a_poll_begins_where_all_connectors_are_loaded_already() -> None:
    begun = (
        "from flowforge.settings import Settings; from workers import preloading; preloading.load_shared(Settings())"
    )
    known = "from flowforge.connectors.catalog import load_catalog; print(load_catalog.cache_info().currsize)"
    environment = {**os.environ, "FLOWFORGE_SECRET_KEYS": "", "POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-c", f"{begun}\n{known}"]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "1\n"


class TestClock:
    def test_the_settings_switch_jobs_off(self, settings: Settings) -> None:
        off = settings.model_copy(update={"scheduler_enabled": False})
        assert {job.name for job in periodic_jobs(settings)} - {job.name for job in periodic_jobs(off)} == {"schedules"}

    def test_kafka_is_asked_for_its_topics(self, settings: Settings) -> None:
        on_kafka = settings.model_copy(update={"kafka_brokers": ["127.0.0.1:1"]})
        assert {job.name for job in periodic_jobs(on_kafka)} - {job.name for job in periodic_jobs(settings)} == {
            "topics"
        }

    def test_restarts_leave_exactly_the_jobs_there_are_now(self, settings: Settings, redis: Redis) -> None:
        Clock(periodic_jobs(settings), redis).reconcile()
        redis.zadd(Clock.scheduled_jobs_key, {"flowforge-of-an-older-version": 0, "of-another-product": 0})
        jobs = [job for job in periodic_jobs(settings) if job.name != "polls"]
        Clock(jobs, redis).reconcile()
        Clock(jobs, redis).reconcile()
        scheduled = {member.decode() for member in redis.zrange(Clock.scheduled_jobs_key, 0, -1)}
        assert scheduled == {job.id for job in jobs} | {"of-another-product"}

    def test_while_nobody_works_each_job_waits_once(self, settings: Settings, redis: Redis) -> None:
        jobs = periodic_jobs(settings)
        clock = Clock(jobs, redis)
        for _ in range(3):
            clock.reconcile()  # makes all of them due
            clock.enqueue_jobs()
        assert sum(redis.llen(f"rq:queue:{queue}") for queue in {job.queue for job in jobs}) == len(jobs)

    def test_what_it_forgets_it_schedules_again(self, settings: Settings, redis: Redis) -> None:
        jobs = periodic_jobs(settings)
        clock = Clock(jobs, redis)
        clock.reconcile()
        redis.flushall()
        clock.enqueue_jobs()
        assert redis.zcard(Clock.scheduled_jobs_key) == len(jobs)

    def test_a_clock_that_was_set_back_stops_no_job(self, settings: Settings, redis: Redis) -> None:
        jobs = periodic_jobs(settings)
        clock = Clock(jobs, redis)
        ten_minutes_ahead = time.time() + 600
        redis.zadd(Clock.scheduled_jobs_key, {job.id: ten_minutes_ahead + job.seconds for job in jobs})
        clock.enqueue_jobs()
        assert sum(redis.llen(f"rq:queue:{queue}") for queue in {job.queue for job in jobs}) == len(jobs)

    def test_ticks_leave_nothing_behind_in_valkey(
        self, jobs: subprocess.Popen[bytes], settings: Settings, redis: Redis
    ) -> None:
        def finished() -> int:
            return sum(worker.successful_job_count for worker in Worker.all(connection=redis))

        eventually(lambda: finished() > 6)
        keys = redis.dbsize()
        known = finished()
        eventually(lambda: finished() > known + 4)
        assert redis.dbsize() <= keys + 5  # what comes and goes with a running job


class TestTicks:
    """Some eighty of them come in a minute, whether or not there is anything to do."""

    def test_the_clock_asks_valkey_for_little(self, settings: Settings, redis: Redis) -> None:
        jobs = periodic_jobs(settings)
        clock = Clock(jobs, redis)
        clock.reconcile()  # makes all of them due
        before = commands(redis)
        clock.enqueue_jobs()  # and asks twice what is due, once for the jobs of others
        assert commands(redis) - before <= 3 + 4 * len(jobs)

    def test_a_worker_asks_valkey_for_little(self, redis: Redis, quick_job: str) -> None:
        def run(times: int) -> int:
            redis.rpush(f"rq:queue:{UPKEEP}", *[quick_job] * times)
            before = commands(redis)
            worker = TickWorker([UPKEEP], connection=redis, **RUNS_TASKS)
            worker.work(burst=True, logging_level="WARNING")
            worker.refresh()
            assert worker.successful_job_count == times
            return commands(redis) - before

        run(1)
        assert run(20) - run(10) <= 15 * 10

    def test_one_that_fails_is_counted_and_leaves_no_job_behind(self, redis: Redis, quick_job: str) -> None:
        redis.hset(f"rq:job:{quick_job}", "data", b'["workers.tasks.nothing", null, [], {}]')
        redis.rpush(f"rq:queue:{UPKEEP}", quick_job)
        worker = TickWorker([UPKEEP], connection=redis, **RUNS_TASKS)
        worker.work(burst=True, logging_level="WARNING")
        worker.refresh()
        assert worker.failed_job_count == 1
        assert redis.keys(f"rq:queue:{UPKEEP}*") == []


@pytest.fixture
def quick_job(settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a job that does nothing."""
    Clock(periodic_jobs(settings), redis).reconcile()
    monkeypatch.setattr("workers.tasks.resend", lambda: None)
    return "flowforge-resend"


def commands(redis: Redis) -> int:
    """Commands that Valkey has had so far."""
    return int(redis.info("stats")["total_commands_processed"])


@contextmanager
def _silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
