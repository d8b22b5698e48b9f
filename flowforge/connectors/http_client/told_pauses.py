"""Pauses that receivers ask for: how long nothing more should be sent, as the headers of an answer say.

RFC 9110, 10.2.3 (Retry-After); draft-ietf-httpapi-ratelimit-headers (RateLimit); the usual X-RateLimit-*, of GitHub
(https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api) and others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from flowforge.connectors.http_client.response import Response, retry_after

LONGEST_PAUSE_SECONDS = 3600.0
"""What asks for more is asked again after that."""
_TOO_MANY = (429, 503)
_PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")
_MEMBERS = re.compile(r'\b(r|remaining|t|reset)\s*=\s*"?(\d{1,15})')
_EARLIEST_EPOCH = 1_000_000_000.0
"""A smaller number is one of seconds from now."""


def told_pause(response: Response) -> float | None:
    """Seconds, at most LONGEST_PAUSE_SECONDS; None where the receiver asks for none."""
    asked = retry_after(response.headers.get("retry-after")) if response.status in _TOO_MANY else None
    seconds = asked if asked is not None else _until_reset(response.headers)
    return min(seconds, LONGEST_PAUSE_SECONDS) if seconds is not None and seconds > 0 else None


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until there are requests left again; None where there are some, or nothing is said of it."""
    members = dict(_MEMBERS.findall(headers.get("ratelimit", "").lower()))
    found = [(members.get("r") or members.get("remaining"), members.get("t") or members.get("reset"))]
    found += [(headers.get(f"{prefix}remaining"), headers.get(f"{prefix}reset")) for prefix in _PREFIXES]
    spent = (reset for remaining, reset in found if remaining is not None and remaining.strip() == "0")
    return next((seconds for reset in spent if (seconds := _seconds(reset)) is not None), None)


def _seconds(reset: str | None) -> float | None:
    """From now; `reset` is a number of seconds, or a time in seconds or milliseconds since 1970."""
    try:
        number = float(reset or "")
    except ValueError:
        return None
    if not 0 <= number < float("inf"):
        return None
    if number < _EARLIEST_EPOCH:
        return number
    return (number / 1000 if number > _EARLIEST_EPOCH * 1000 else number) - time.time()
