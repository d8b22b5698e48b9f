"""Calls that were accepted: what is due once their event is committed."""

from __future__ import annotations

from flowforge.engine import intake
from flowforge.engine.intake import AcceptedCall
from webapp import metrics
from webapp.context import backends


def announce(call: AcceptedCall) -> None:
    """Publishes the event of a call that made one, and counts it."""
    if call.fresh is None:
        return
    intake.announce(backends().bus, [call.fresh], inline_limit=backends().settings.payload_inline_limit)
    metrics.count_event(call.fresh.trigger_type)
