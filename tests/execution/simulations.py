"""Workflows on the state machine alone, at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flowforge.execution.simulator import Simulation
from flowforge.language.plan import compile_plan

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
Action = dict[str, Any]


def begun(*actions: Action, trigger: Any = None) -> Simulation:
    """A workflow of these actions, started with a payload."""
    return Simulation(compile_plan({"actions": list(actions)}, templated=True), trigger or {}, clock=lambda: NOW)
