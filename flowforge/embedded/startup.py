"""The two short processes of a start: the set-up of the database, and the greeting when everything answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from flowforge.embedded.console import Console
from flowforge.embedded.server import CannotStart
from flowforge.probe import ask_readiness, reachable_host
from flowforge.settings import Settings

_DATABASES_SECONDS = 300.0
"""PostgreSQL may have to recover first, on a machine that is busy."""
_TOLD_AFTER_SECONDS = 15.0
_READY_SECONDS = 90.0


def set_up(settings: Settings) -> None:
    """Waits for the databases, then makes the database ours. Raises CannotStart with what did not answer."""
    from flowforge.adoption import take_over_database
    from flowforge.embedded import postgres, valkey
    from flowforge.topics_taken_over import refuse_rivals

    if settings.postgres_url is None or settings.redis_url is None:
        raise CannotStart("POSTGRES_URL and REDIS_URL must be set; `python -m flowforge run` sets them")
    postgres_url, redis_url = settings.postgres_url, settings.redis_url
    _wait_for("PostgreSQL", "see postgres.log, or check POSTGRES_URL", lambda: postgres.answers(postgres_url))
    refuse_rivals(settings)
    take_over_database(settings)
    _wait_for("Valkey", "see valkey.log, or check REDIS_URL", lambda: valkey.answers(redis_url))


def greet(settings: Settings, console: Console) -> bool:
    """Say the address as soon as everything is ready, or what is missing if that takes too long."""
    answer = ""

    def ready() -> bool:
        nonlocal answer
        well, answer = ask_readiness(settings)
        return well

    if not _within(_READY_SECONDS, ready):
        console.print(f"Not ready after {_READY_SECONDS:.0f} s: {answer}. Logs: {settings.home / 'logs'}")
        return False
    host = reachable_host(settings.host)
    shown = f"[{host}]" if ":" in host else host
    console.print(
        f"\nFlowForge is ready:  http://{shown}:{settings.port}/\n"
        "  First time here?  Open the address and create your account.\n"
        "  From then on sign in with its user name and password.\n"
        f"  Data, secrets and logs: {settings.home}\n"
        "  Ctrl-C stops everything.\n"
    )
    return True


def _wait_for(server: str, advice: str, answers: Callable[[], bool]) -> None:
    """Tells after a while that it waits. Raises CannotStart."""
    if _within(_TOLD_AFTER_SECONDS, answers):
        return
    Console().print(f"Waiting for {server}, which does not answer yet; {advice} ...")
    if not _within(_DATABASES_SECONDS, answers):
        raise CannotStart(f"{server} does not answer; {advice}")


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
