"""Values as the pages show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from flowforge import jsonio

_LONGEST_JSON = 20_000


def moment(value: datetime | None) -> str:
    """2026-03-04 05:06:07 UTC"""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if value else "–"


def pretty(value: Any) -> str:
    """Indented JSON, cut where nobody reads on."""
    text = orjson.dumps(jsonio.loads(jsonio.dumps(value)), option=orjson.OPT_INDENT_2).decode()
    return (
        text if len(text) <= _LONGEST_JSON else f"{text[:_LONGEST_JSON]}\n… cut here, {len(text):,} characters in all"
    )


def duration(value: timedelta | None) -> str:
    """840 ms, 3.2 s, 4 min 5 s, 2 h 10 min"""
    if value is None:
        return ""
    seconds = max(value.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
