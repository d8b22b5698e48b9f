"""The viewer's clock: times are kept in UTC, the person's zone is for the eye only."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from flask import has_request_context, request
from flask_login import current_user

from flowforge import time_zones

COOKIE = "zone"
"""The browser's time zone, as static/zone.js writes it."""
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"
"""The format that a datetime-local input sends."""


def offered_zones(chosen: str) -> list[str]:
    """The time zones to choose among: the account's own first, then UTC; the chosen one, even where it is none."""
    first = [getattr(viewers_zone(), "key", "UTC"), "UTC"]
    names = [*first, *sorted(time_zones.zone_names() - {*first})]
    return list(dict.fromkeys(names if chosen in ("", *names) else [*names, chosen]))


def viewers_zone() -> tzinfo:
    """The account's; where it chose none, the browser's, else UTC."""
    name = getattr(current_user, "time_zone", None) or _zone_of_browser()
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):  # a zone that this machine's tables do not know (any more)
        return UTC


def _zone_of_browser() -> str | None:
    name = request.cookies.get(COOKIE) if has_request_context() else None
    return name if name in time_zones.zone_names() else None


def read_local(text: str) -> datetime | None:
    """A moment as the viewer's clock shows it; None for what is none."""
    try:
        local = datetime.strptime(text[:16], LOCAL_FORMAT)
    except ValueError:
        return None
    return local.replace(tzinfo=viewers_zone()).astimezone(UTC)


def write_local(moment: datetime | None) -> str:
    return moment.astimezone(viewers_zone()).strftime(LOCAL_FORMAT) if moment else ""
