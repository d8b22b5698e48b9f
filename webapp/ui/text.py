"""Values as the pages show them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from markupsafe import Markup

from flowforge import jsonio
from flowforge.markdown import html_of_note
from webapp.translation import formats
from webapp.translation.texts import gettext, lazy
from webapp.ui.zones import viewers_zone

_LONGEST_JSON = 20_000
_LONGEST_LINE = 160
_UNITS = {86_400: lazy("%(count)s d"), 3_600: lazy("%(count)s h"), 60: lazy("%(count)s min")}
_BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def note(text: str) -> Markup:
    """The HTML of a note in Markdown."""
    return Markup(html_of_note(text))  # noqa: S704  (it is made safe there)


def moment(value: datetime | None) -> str:
    """4 Mar 2026, 06:06:07, on the viewer's clock"""
    if value is None:
        return "–"
    return formats.moment(value.astimezone(viewers_zone()))


def minute(value: datetime | None, zone: tzinfo | None = None) -> str:
    """Wed 4 Mar, 06:06, on the clock of the zone, else on the viewer's"""
    if value is None:
        return "–"
    return formats.minute(value.astimezone(zone or viewers_zone()))


def exact(value: datetime) -> str:
    """2026-03-04 06:06:07.123 CET: to hover over"""
    local = value.astimezone(viewers_zone())
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}"


def clock(value: datetime) -> str:
    """06:06:07.123, on the viewer's clock"""
    local = value.astimezone(viewers_zone())
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def distance(value: datetime | None, now: datetime | None = None) -> str:
    """just now, 4 min ago, in 2 h"""
    if value is None:
        return "–"
    seconds = (value - (now or datetime.now(UTC))).total_seconds()
    amount = _round(seconds, round) if seconds > 0 else _round(-seconds, int)
    if amount is None:
        return gettext("now") if seconds > 0 else gettext("just now")
    return gettext("in %(time)s", time=amount) if seconds > 0 else gettext("%(time)s ago", time=amount)


def brief(value: Any) -> str:
    """JSON on one line, cut to fit into a table."""
    text = jsonio.dumps(value).decode()
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def pretty(value: Any) -> str:
    """Indented JSON, cut to a readable length."""
    text = jsonio.indented(value)
    return text if len(text) <= _LONGEST_JSON else f"{text[:_LONGEST_JSON]}\n… {_cut(len(text))}"


def duration(value: timedelta | None) -> str:
    """840 ms, 3.2 s, 4 min 5 s, 2 h 10 min"""
    if value is None:
        return ""
    seconds = max(value.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{formats.decimal(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def agent(text: str) -> str:
    """Firefox on Linux: what a user agent's text stands for, or its beginning."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in text), None)
    system = next((name for mark, name in _SYSTEMS.items() if mark in text), None)
    if browser is None:
        return text.partition(" ")[0][:60] or gettext("Unknown")
    return gettext("%(browser)s on %(system)s", browser=browser, system=system) if system else browser


def _round(seconds: float, cut: Callable[[float], int]) -> str | None:
    """`cut`: what becomes of parts of a unit. What ends in 90 days is not said to end in 89 a moment later."""
    for unit, text in _UNITS.items():
        if seconds >= unit:
            return gettext(text, count=cut(seconds / unit))
    return f"{int(seconds)} s" if seconds >= 10 else None


def _cut(characters: int) -> str:
    return gettext("cut here, %(count)s characters in total", count=formats.number(characters))


def sentence(text: str) -> str:
    """A message as a sentence: with a capital letter, and a full stop where none ends it."""
    shown = str(text)
    return f"{shown[:1].upper()}{shown[1:]}{'' if shown.endswith(('.', '!', '?')) else '.'}"
