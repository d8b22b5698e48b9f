"""The finite jobs, as RQ calls them: by name and without arguments that could hold a connection.

The process that runs them says once, with `use`, which backends they work on, and how it starts workers for polls. A
server that is away is no failure of the job: the next one comes soon, and nothing is lost meanwhile.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec
from uuid import UUID

from flowforge import broken_connections
from flowforge.accounts import usage
from flowforge.engine import pruning, upkeep
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.executions import disk_space
from flowforge.triggers.mailboxes import adopted
from flowforge.triggers.schedules import firing
from flowforge.wiring import Backends
from workers import polls

P = ParamSpec("P")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Process:
    """What the jobs of this process work with."""

    backends: Backends
    when_polls_wait: Callable[[], None]


_in_use: list[_Process] = []


def use(backends: Backends, when_polls_wait: Callable[[], None]) -> None:
    """Sets the backends of this process, and what is called when polls wait for a worker; called once, before its
    worker starts."""
    _in_use[:] = [_Process(backends, when_polls_wait)]


def _waits_for_servers(job: Callable[P, None]) -> Callable[P, None]:
    @functools.wraps(job)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            job(*args, **kwargs)
        except (Unavailable, TooMuchAtOnce) as error:
            log.warning("%s: %s", job.__name__, error)

    return run


@_waits_for_servers
def fire_schedules() -> None:
    firing.fire_due(_backends())


@_waits_for_servers
def enqueue_polls() -> None:
    backends = _backends()
    polls.enqueue_due(backends, backends.redis)
    if polls.are_waiting(backends.redis):
        _process().when_polls_wait()


@_waits_for_servers
def start_schedules() -> None:
    firing.start_unscheduled(_backends())


@_waits_for_servers
def start_mailboxes() -> None:
    adopted.start_unscheduled(_backends())


@_waits_for_servers
def poll(trigger_id: str) -> None:
    polls.run_poll(_backends(), UUID(trigger_id))


@_waits_for_servers
def resend() -> None:
    upkeep.resend(_backends())


@_waits_for_servers
def make_topics() -> None:
    _backends().bus.make_missing_topics()


@_waits_for_servers
def repair_log() -> None:
    upkeep.repair_log(_backends())


@_waits_for_servers
def count_usage() -> None:
    usage.count(_backends())


@_waits_for_servers
def prune() -> None:
    pruning.prune(_backends())


@_waits_for_servers
def note_free_space() -> None:
    backends = _backends()
    disk_space.note_free_space(backends.engine, backends.settings)


@_waits_for_servers
def tend_connections() -> None:
    broken_connections.tend(_backends())


def _backends() -> Backends:
    return _process().backends


def _process() -> _Process:
    if not _in_use:
        raise RuntimeError("workers.tasks.use was not called in this process")
    return _in_use[0]
