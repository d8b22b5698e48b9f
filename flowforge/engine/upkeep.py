"""Upkeep: redelivery of lost messages, and repair of the log."""

from __future__ import annotations

import logging

from flowforge.engine import redelivery
from flowforge.engine.log_repair.lost_messages import write_lost_messages
from flowforge.engine.log_repair.unpublished_messages import SETTLED_SECONDS, write_unpublished_messages
from flowforge.wiring import Backends

log = logging.getLogger(__name__)


def resend(backends: Backends) -> None:
    """Redelivers what PostgreSQL shows as not acted upon (design invariant 3). Raises Unavailable."""
    resent = redelivery.resend(backends)
    if resent != redelivery.Redelivered():
        log.warning("Redelivered: %s", resent)


def repair_log(backends: Backends, settled: float = SETTLED_SECONDS) -> None:
    """Writes what the log lacks, in one bounded round.

    An execution that ended less than `settled` seconds ago may still have lines of its log on their way. Raises
    Unavailable.
    """
    write_lost_messages(backends)
    write_unpublished_messages(backends, settled)
