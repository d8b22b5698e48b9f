"""The engine as most of its tests drive it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from flowforge.engine.redelivery import GRACE_SECONDS
from flowforge.wiring import Backends
from tests.engine.late_receiver import LateReceiver
from tests.engine.pipeline import Pipeline


@pytest.fixture
def redelivery_grace() -> float:
    """Seconds after which a missing message is sent again; a test file may override it."""
    return GRACE_SECONDS


@pytest.fixture
def pipeline(backends: Backends, redelivery_grace: float) -> Pipeline:
    return Pipeline(backends, redelivery_grace=redelivery_grace)


@pytest.fixture
def late_receiver(httpserver: HTTPServer) -> Iterator[LateReceiver]:
    receiver = LateReceiver(httpserver)
    yield receiver
    receiver.answer.set()
