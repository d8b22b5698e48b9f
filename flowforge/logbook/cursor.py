"""Cursors, the position of a follower in a log: (timestamp, id), and its text form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from flowforge.errors import Invalid
from flowforge.sentences import sentence

Position = tuple[datetime, str]
"""(timestamp, id) of an entry: where it stands in its log."""

_CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{24})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_cursor(text: str) -> Position:
    """Raises Invalid."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Invalid.at("/lastEventId", sentence("is not a position in this log"))
    return _EPOCH + timedelta(milliseconds=int(match[1])), match[2]


def cursor_at(moment: datetime) -> str:
    """Build the cursor that stands before the entries of this moment."""
    milliseconds = max(0, (moment - _EPOCH) // timedelta(milliseconds=1))
    return f"{milliseconds}-{'0' * 24}"
