"""The engine as most of its tests drive it."""

from __future__ import annotations

import pytest

from flowforge.engine.redelivery import GRACE_SECONDS
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline


@pytest.fixture
def redelivery_grace() -> float:
    """Seconds after which a missing message is sent again; a test file may override it."""
    return GRACE_SECONDS


@pytest.fixture
def pipeline(backends: Backends, redelivery_grace: float) -> Pipeline:
    return Pipeline(backends, redelivery_grace=redelivery_grace)
