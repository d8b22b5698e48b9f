"""Suggestions for names that do not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

# Comparing names costs time that grows with their number and length, and both come from people's data.
_MOST_NAMES = 200
_LONGEST_NAME = 64
_NAMES_SHOWN = 5


def hint(name: str, existing: Iterable[str]) -> str:
    """`; did you mean 'email'?`, or the first few names there are, or nothing when there are none."""
    names = [known for known in islice(existing, _MOST_NAMES) if len(known) <= _LONGEST_NAME]
    if not names:
        return ""
    close = nearest(name, names)
    if close is not None:
        return f"; did you mean {quoted(close)}?"
    shown = ", ".join(quoted(known) for known in names[:_NAMES_SHOWN])
    more = ", …" if len(names) > _NAMES_SHOWN else ""
    return f"; there is {shown}{more}"


def nearest(name: str, names: list[str]) -> str | None:
    by_folded = {known.casefold(): known for known in reversed(names)}
    close = get_close_matches(name[:_LONGEST_NAME].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def quoted(name: object) -> str:
    """The name as a message shows it: short, in quotes."""
    text = str(name)
    return f"'{text}'" if len(text) <= _LONGEST_NAME else f"'{text[:_LONGEST_NAME]}…'"
