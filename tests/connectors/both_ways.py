"""Tests that import `step_loop` from here are run twice: by the client of plain functions, and on an event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors import running
from tests.connectors.step_loop import StepLoop


@pytest.fixture(params=["in a thread", "on a loop"])
def step_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StepLoop | None]:
    """None where steps wait in their thread."""
    if request.param == "in a thread":
        yield None
        return
    loop = StepLoop()
    monkeypatch.setattr(running, "ended", loop.run)
    yield loop
    loop.close()
