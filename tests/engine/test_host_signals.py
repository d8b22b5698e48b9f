"""A host that is told to stop, and told again by somebody impatient: it ends by itself, and hands in what has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_executor_threads import Receiver
from tests.services.processes import start_server


@pytest.fixture
def executor(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "FLOWFORGE_HOME": str(settings.home),
        "POSTGRES_URL": str(settings.postgres_url),
        "REDIS_URL": str(settings.redis_url),
        "ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
    }
    host = start_server([sys.executable, "-m", "workers.host", "executor"], env=environment)
    yield host
    host.kill()
    host.wait()


def test_a_call_that_ends_after_two_signals_is_handed_in(
    pipeline: Pipeline, httpserver: HTTPServer, executor: subprocess.Popen[bytes]
) -> None:
    receiver = Receiver(httpserver)
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(pipeline.workflow(receiver.call).id)
        assert receiver.called.wait(60)
        for _ in range(2):
            executor.send_signal(signal.SIGTERM)
        receiver.answer.set()
        assert pipeline.finished(event.event_id).status == "COMPLETED"
    assert executor.wait(60) == 0
    assert len(httpserver.log) == 1
