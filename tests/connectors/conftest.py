"""The tools every connector gets, with the loopback opened, and a context to run in."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from flowforge.connectors.sdk import StepContext
from flowforge.connectors.tools import make_tools
from flowforge.settings import Settings

ID = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture
def make_context() -> Callable[..., StepContext]:
    def make(*, seconds: float = 5, networks: str = "127.0.0.0/8", **settings: object) -> StepContext:
        chosen = Settings(_env_file=None, allow_private_networks_setting=networks, **settings)
        return StepContext(
            execution_id=ID,
            workflow_id=ID,
            user_id=ID,
            step_index=0,
            step_id="step_0",
            attempt=1,
            idempotency_key="key-1",
            deadline=time.monotonic() + seconds,
            trigger={"body": {"order": 17}},
            steps={},
            tools=make_tools(chosen),
        )

    return make


@pytest.fixture
def context(make_context: Callable[..., StepContext]) -> StepContext:
    return make_context()
