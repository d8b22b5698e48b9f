"""An RQ worker that hosts consumers: `python -m workers.host orchestrator executor log-sink`.

RQ lists it like any other worker (`rq info` shows it, with its heartbeat), on a queue named after the consumer; the
consumers' loops run in threads of this process. SIGTERM and SIGINT let running steps end, for DRAIN_SECONDS.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError
from rq import Queue
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker, WorkerStatus

from flowforge.db.schema import exit_on_other_schema
from flowforge.engine.consumer import Consumer
from flowforge.engine.executor import Executor
from flowforge.engine.foreign_executor import ForeignExecutor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.ids import member_name
from flowforge.settings import Settings
from flowforge.wiring import Backends
from workers.runner import Runner

logger = logging.getLogger(__name__)


def executor_of(backends: Backends) -> Consumer:
    return ForeignExecutor(backends) if backends.settings.has_foreign_executor else Executor(backends)


CONSUMERS: dict[str, Callable[[Backends], Consumer]] = {
    "orchestrator": Orchestrator,
    "executor": executor_of,
    "log-sink": LogSink,
}
HEARTBEAT_SECONDS = 20.0
_MOST_FILES = 65_536
HANDING_IN_SECONDS = 10.0
"""The time that a consumer has after DRAIN_SECONDS, to hand in results and leave its group."""


class HostWorker(SimpleWorker):
    """A worker that hosts consumers and takes no jobs."""

    death_penalty_class = TimerDeathPenalty

    def host(self, runners: Sequence[Runner], stopping: threading.Event, drain_seconds: float) -> None:
        """Returns when `stopping` is set and every runner has ended, `drain_seconds` and a moment later at most."""
        threads = [threading.Thread(target=_run, args=(runner, stopping), daemon=True) for runner in runners]
        for thread in threads:
            thread.start()
        self._register()
        while not stopping.wait(HEARTBEAT_SECONDS):
            self._register()
        self._wait_for(threads, time.monotonic() + drain_seconds + HANDING_IN_SECONDS)
        self._unregister()

    def _wait_for(self, threads: Sequence[threading.Thread], deadline: float) -> None:
        """Stays registered until these have ended, or the deadline has come: a time of `time.monotonic`."""
        next_heartbeat = time.monotonic()
        while (alive := [thread for thread in threads if thread.is_alive()]) and time.monotonic() < deadline:
            if time.monotonic() >= next_heartbeat:
                self._register()
                next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            alive[0].join(0.5)

    def _register(self) -> None:
        """Registers at RQ, anew where Valkey was emptied, and sends a heartbeat."""
        try:
            if not self.connection.hexists(self.key, "birth"):
                self.connection.delete(self.key)  # of a Valkey emptied just before a heartbeat, that is there alone
                self.register_birth()  # type: ignore[no-untyped-call]
                self.set_state(WorkerStatus.BUSY)
                # `rq info` lists the workers of registered queues
                self.connection.sadd(Queue.redis_queues_keys, *(queue.key for queue in self.queues))
            self.heartbeat(int(HEARTBEAT_SECONDS * 3))
        except (RedisError, ValueError) as error:
            logger.warning("this worker is not registered at RQ now: %s", error)

    def _unregister(self) -> None:
        try:
            self.register_death()  # type: ignore[no-untyped-call]
        except RedisError as error:
            logger.warning("this worker is still registered at RQ: %s", error)


def _run(runner: Runner, stopping: threading.Event) -> None:
    try:
        runner.run()
    except BaseException:
        logger.exception("a consumer died; the process ends, and its supervisor starts it again")
        os._exit(1)
    if not stopping.is_set():
        os._exit(1)


def _allow_many_files() -> None:
    """Each call that waits takes a file descriptor, and most systems give a process 1,024 unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def main(names: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m workers.host", description=__doc__)
    parser.add_argument("consumers", nargs="+", choices=sorted(CONSUMERS))
    chosen: list[str] = parser.parse_args(names).consumers
    settings = Settings()
    _allow_many_files()
    exit_on_other_schema(settings.postgres_url)
    logging.basicConfig(
        level=settings.log_level, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    backends = Backends(settings, "flowforge-" + "+".join(chosen))
    runners = [Runner(backends, CONSUMERS[name](backends), stopping) for name in chosen]
    worker = HostWorker(
        [Queue(name, connection=backends.redis) for name in chosen],
        name=member_name("+".join(chosen)),
        connection=backends.redis,
    )
    logger.info("hosting %s", ", ".join(chosen))
    worker.host(runners, stopping, settings.drain_seconds)
    backends.close()


if __name__ == "__main__":
    main()
