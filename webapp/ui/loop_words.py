"""The words for the runs of a block: the items, pages, rounds or calls of a loop, the branches of a PARALLEL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from webapp.translation.formats import number
from webapp.translation.texts import gettext, lazy, ngettext

_COUNTED: Mapping[str, Callable[[int], str]] = {
    "item": lambda count: ngettext("%(count)s item", "%(count)s items", count),
    "page": lambda count: ngettext("%(count)s page", "%(count)s pages", count),
    "round": lambda count: ngettext("%(count)s round", "%(count)s rounds", count),
    "call": lambda count: ngettext("%(count)s call", "%(count)s calls", count),
}
_NUMBERED = {
    "item": lazy("item %(number)s"),
    "page": lazy("page %(number)s"),
    "round": lazy("round %(number)s"),
    "call": lazy("call %(number)s"),
}
_TITLES = {"item": lazy("Items"), "page": lazy("Pages"), "round": lazy("Rounds"), "call": lazy("Calls")}


def loop_count(noun: str, count: int) -> str:
    """3 items; `noun` is that of a Loop of flowforge.language.block."""
    return _COUNTED[noun](count)


def loop_run(noun: str, position: int) -> str:
    """item 3, for the position 2."""
    return gettext(_NUMBERED[noun], number=number(position + 1))


def loop_title(noun: str) -> str:
    """Items"""
    return str(_TITLES[noun])
