"""Time zones by their names in the IANA database, the same on every machine.

Beside them, a machine may know `localtime`, which is another zone elsewhere, and `right/…`, which counts leap seconds.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from flowforge.sentences import sentence

_LONGEST_NAME = 64
_NO_ZONES = {"Factory", "localtime", "posixrules"}
_PREFIXES = ("right/", "posix/")
_WITHOUT_SUMMER_TIME = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}


@cache
def zone_names() -> frozenset[str]:
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return frozenset(listed) - _NO_ZONES


@cache
def zone(name: str) -> ZoneInfo:
    """Raises ValueError, with the nearest name, for what is not one."""
    if name not in zone_names():
        raise ValueError(
            sentence(
                "there is no time zone %(name)s; %(advice)s", name=repr(name[:_LONGEST_NAME]), advice=_advice(name)
            )
        )
    return ZoneInfo(name)


def checked_zone(name: str) -> str:
    """The name itself. Raises ValueError, with the nearest name, for what is not one."""
    zone(name)
    return name


def place_of(abbreviation: str) -> str | None:
    """A place whose clocks people mean by an abbreviation that, to the letter, has no summer time."""
    return _WITHOUT_SUMMER_TIME.get(abbreviation)


def _advice(name: str) -> str:
    if name == "localtime":
        return sentence("it is another one on every machine; names are such as Europe/Berlin")
    plain = name[:_LONGEST_NAME]
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    near = _nearest(plain)
    return sentence("did you mean %(meant)s?", meant=near) if near else sentence("names are such as Europe/Berlin")


def _nearest(name: str) -> str | None:
    """The name, but for capitals and blanks; a place by its name alone; else the most alike."""
    wanted = name.casefold().strip().replace(" ", "_")
    by_small = {each.casefold(): each for each in sorted(zone_names())}
    by_place = {each.rpartition("/")[2]: each for each in by_small}
    if wanted in by_small or wanted in by_place:
        return by_small[wanted if wanted in by_small else by_place[wanted]]
    alike = get_close_matches(wanted, by_small, 1, 0.7)
    return by_small[alike[0]] if alike else None
