"""The process of the live streams and its worker: one does not stay without the other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from tests.services.stream_readers import Watched, ask, cursors, lines, watching
from tests.services.web_server import Stage, server
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by the name that Linux shows")


def hubs() -> set[psutil.Process]:
    return {process for process in psutil.Process().children(recursive=True) if process.name() == "live"}


@pytest.fixture
def another(stage: Stage) -> Iterator[tuple[Stage, psutil.Process]]:
    """Another server on the same backends, and the process of its streams."""
    before = hubs()
    with server(stage.backends, stage.backends.settings.home) as url:
        (hub,) = hubs() - before
        yield replace(stage, url=url), hub


def test_a_hub_that_died_is_replaced_and_viewers_go_on(another: tuple[Stage, psutil.Process]) -> None:
    stage, hub = another
    watched = Watched(stage)
    seen = cursors(watched.write(2))
    with watching(stage, watched) as events:
        assert lines(events, 2) == seen
        hub.kill()
        with pytest.raises((StopIteration, OSError)):
            lines(events, 1)
    missed = cursors(watched.write(2))
    eventually(lambda: _lets_in(stage, watched))
    with watching(stage, watched, headers={"Last-Event-ID": seen[-1]}) as events:
        assert lines(events, 2) == missed


def test_a_hub_goes_with_its_worker(another: tuple[Stage, psutil.Process]) -> None:
    stage, hub = another
    worker = hub.parent()
    assert worker is not None
    worker.kill()
    hub.wait(20)
    eventually(lambda: _lets_in(stage, Watched(stage)))


def test_it_does_not_keep_the_servers_port(another: tuple[Stage, psutil.Process]) -> None:
    _, hub = another
    assert [one for one in hub.net_connections("tcp") if one.status == psutil.CONN_LISTEN] == []


def test_what_is_meant_for_the_whole_group_does_not_end_it(another: tuple[Stage, psutil.Process]) -> None:
    """Ctrl-C in a terminal reaches every process; the worker may still be answering."""
    stage, hub = another
    watched = Watched(stage)
    with watching(stage, watched) as events:
        next(events)
        hub.send_signal(signal.SIGINT)
        written = cursors(watched.write())
        assert lines(events, 1) == written


def _lets_in(stage: Stage, watched: Watched) -> bool:
    try:
        with ask(stage, watched.id) as answer:
            return answer.status_code == 200
    except OSError:
        return False
