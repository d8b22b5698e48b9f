"""Calls of webhooks and forms that are accepted."""

from __future__ import annotations

from flask import Flask, current_app

from flowforge.engine.intake import AcceptedCall, Intake
from flowforge.wiring import Backends
from webapp import metrics

_EXTENSION = "flowforge.intake"


def install(app: Flask, backends: Backends) -> None:
    app.extensions[_EXTENSION] = Intake(backends)


def intake() -> Intake:
    """The process's own: what comes to it at the same time is stored together."""
    found: Intake = current_app.extensions[_EXTENSION]
    return found


def count(call: AcceptedCall) -> None:
    """Counts a call that made an event."""
    if call.fresh is not None:
        metrics.count_event(call.fresh.trigger_type)
