"""The reason why the engine itself cannot go on with something, as a text for people."""

from __future__ import annotations

from flowforge import jsonio
from flowforge.db.engine import driver_error

_LONGEST_REASON = 500


def reason_of(error: BaseException) -> str:
    """One short text; the log has the whole error."""
    cause = driver_error(error)
    text = jsonio.writable(str(cause)).strip()
    return f"FlowForge cannot go on with it: {type(cause).__name__}: {text}"[:_LONGEST_REASON]
