"""Suggestions for names that do not exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import islice
from operator import eq

from flowforge.language.evaluation.meter import Failure

# Comparing names costs time that grows with their number and length, and both come from people's data.
_MOST_NAMES = 200
_LONGEST_NAME = 64
_NAMES_SHOWN = 5
_COMPARED = 3
"""Names looked at closely: those that have the most characters in common, and most of them in the same places."""
_ALIKE = 0.6
"""How like the name another one has to be, from 0 to 1, to be suggested."""
_MOST_HINTS = 50
"""In one judgement: nobody reads more, and each costs time."""


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


class Hints:
    """The hints of one judgement: the same question is answered once, and after many different ones there are none."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Hashable], str] = {}

    def hint(self, name: str, where: Hashable, existing: Callable[[], Iterable[str]]) -> str:
        """Return a hint like the function `hint`; `where` stands for the names that `existing` gives."""
        question = (name, where)
        if question not in self._known and len(self._known) < _MOST_HINTS:
            self._known[question] = hint(name, existing())
        return self._known.get(question, "")


class UnknownName(Failure):
    """Something is called by a name that nothing has. The hint is worked out when somebody asks for the text."""

    def __init__(self, message: str, name: str, kind: str, existing: Sequence[str]) -> None:
        super().__init__(message)
        self.name = name
        self.kind = kind
        """Of what: `filter`, `test`."""
        self.existing = existing

    def __str__(self) -> str:
        return f"{self.args[0]}{hint(self.name, self.existing)}"

    def told(self, hints: Hints) -> str:
        """The text, with a hint if there is one left to give."""
        return f"{self.args[0]}{hints.hint(self.name, self.kind, lambda: self.existing)}"


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The one that is most like the name, if any is like it at all; of several the first."""
    wanted = name[:_LONGEST_NAME].casefold()
    by_folded = {known.casefold(): known for known in reversed(names)}
    best, found = _ALIKE, None
    for common, known in _promising(wanted, list(reversed(by_folded))):
        if common < best or (found is not None and common == best):
            break
        alike = _likeness(wanted, known)
        if alike > best or (found is None and alike == best):
            best, found = alike, known
    return None if found is None else by_folded[found]


def quoted(name: object) -> str:
    """The name as a message shows it: short, in quotes."""
    text = str(name)
    return f"'{text}'" if len(text) <= _LONGEST_NAME else f"'{text[:_LONGEST_NAME]}…'"


def _promising(wanted: str, names: Iterable[str]) -> list[tuple[float, str]]:
    """The few that can be most like it, each with the most that its likeness can be: the best first."""
    letters = Counter(wanted)
    possible = [(_common(letters, len(wanted), known), known) for known in names]
    # Sorting keeps the order of equals, so that of those the first is looked at first.
    return sorted(possible, key=lambda one: (-one[0], -sum(map(eq, wanted, one[1]))))[:_COMPARED]


def _common(letters: Counter[str], length: int, known: str) -> float:
    """The part of the characters of both that are the same in any order: no less than how like they are."""
    together = length + len(known)
    if not together or 2 * min(length, len(known)) < _ALIKE * together:
        return 0.0
    left = dict(letters)
    same = 0
    for letter in known:
        if left.get(letter, 0) > 0:
            left[letter] -= 1
            same += 1
    return 2 * same / together


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, other, one).ratio()
