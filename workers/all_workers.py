"""`python -m workers.all_workers`: every worker of a small installation, forked from one parent.

Each consumer and each job runner stays a process of its own, with its own interpreter lock; when it dies, it alone is
started again. What they import exists once in memory.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flowforge.db.schema import exit_on_other_schema
from flowforge.process_name import show_as
from flowforge.settings import Settings
from workers import host, jobs
from workers.prefork import Child, Prefork
from workers.preloading import load_shared

_ENDING_SECONDS = 2.0


def children(settings: Settings) -> list[Child]:
    grace = settings.drain_seconds + host.HANDING_IN_SECONDS + _ENDING_SECONDS
    consumers = [Child(name, partial(host.main, [name]), grace) for name in host.CONSUMERS]
    return [_name_child(child, settings.log_level) for child in (*consumers, *jobs.children(settings))]


def _name_child(child: Child, log_level: str) -> Child:
    return replace(child, run=partial(_run_named, child.name, log_level, child.run))


def _run_named(name: str, log_level: str, run: Callable[[], object]) -> None:
    """Runs with that name in lists of processes, and in every line of the common log."""
    show_as(name)
    _log_as(name, log_level)
    run()


def _log_as(name: str, log_level: str) -> None:
    logging.basicConfig(
        level=log_level,
        stream=sys.stdout,
        format=f"%(asctime)s %(levelname)s {name.replace('%', '%%')}: %(message)s",
        force=True,
    )
    logging.getLogger("rq_scheduler").setLevel(logging.WARNING)


def main() -> None:
    settings = Settings()
    exit_on_other_schema(settings.postgres_url)
    _log_as("workers", settings.log_level)
    load_shared(settings)
    Prefork(children(settings)).run()


if __name__ == "__main__":
    main()
