"""Suggestions for names that do not exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import islice
from operator import eq

from flowforge.language.evaluation.meter import Failure
from flowforge.sentences import joined, sentence

# Comparing names costs time that grows with their number and length, and both come from people's data.
_MOST_NAMES = 200
_LONGEST_NAME = 64
_NAMES_SHOWN = 5
_COMPARED = 3
"""Names looked at closely: those with the most characters in common, and most of them at the same positions."""
_ALIKE = 0.6
"""The least likeness, from 0 to 1, of a name that is suggested."""
_MOST_HINTS = 50
"""Hints of one validation: nobody reads more, and each costs time."""


def hint(name: str, existing: Iterable[str]) -> str:
    """`; did you mean 'email'?`, or the first few names there are, or nothing when there are none."""
    names = [candidate for candidate in islice(existing, _MOST_NAMES) if len(candidate) <= _LONGEST_NAME]
    if not names:
        return ""
    close = nearest(name, names)
    if close is not None:
        return sentence("; did you mean %(name)s?", name=quoted(close))
    shown = ", ".join(quoted(candidate) for candidate in names[:_NAMES_SHOWN])
    more = ", …" if len(names) > _NAMES_SHOWN else ""
    return sentence("; there is %(names)s", names=shown + more)


class Hints:
    """The hints of one validation: a repeated question is answered once, and after many there are none."""

    def __init__(self) -> None:
        self._hints: dict[tuple[str, Hashable], str] = {}

    def hint(self, name: str, where: Hashable, existing: Callable[[], Iterable[str]]) -> str:
        """Return a hint like the function `hint`; `where` stands for the names that `existing` gives."""
        question = (name, where)
        if question not in self._hints and len(self._hints) < _MOST_HINTS:
            self._hints[question] = hint(name, existing())
        return self._hints.get(question, "")


class UnknownName(Failure):
    """A name that nothing has. The hint is worked out when the text is read."""

    def __init__(self, message: str, name: str, kind: str, existing: Sequence[str]) -> None:
        super().__init__(message, name)
        self.name = name
        self.kind = kind
        """The kind of thing that is named: `filter`, `test`."""
        self.existing = existing

    def __str__(self) -> str:
        return str(joined("", [self.args[0], hint(self.name, self.existing)]))

    def explain(self, hints: Hints) -> str:
        """Return the text, with a hint if there is one left to give."""
        return joined("", [self.args[0], hints.hint(self.name, self.kind, lambda: self.existing)])


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The name that is most like the first one, if any is like it at all; of several the first."""
    wanted = name[:_LONGEST_NAME].casefold()
    by_folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    best, found = _ALIKE, None
    for common, candidate in _promising(wanted, list(reversed(by_folded))):
        if common < best or (found is not None and common == best):
            break
        alike = _likeness(wanted, candidate)
        if alike > best or (found is None and alike == best):
            best, found = alike, candidate
    return None if found is None else by_folded[found]


def quoted(name: object) -> str:
    """The name as a message shows it: short, in quotes."""
    text = str(name)
    return f"'{text}'" if len(text) <= _LONGEST_NAME else f"'{text[:_LONGEST_NAME]}…'"


def _promising(wanted: str, names: Iterable[str]) -> list[tuple[float, str]]:
    """The few that can be most like it, each with the most that its likeness can be: the best first."""
    letters = Counter(wanted)
    possible = [(_common(letters, len(wanted), candidate), candidate) for candidate in names]
    # Sorting keeps the order of equals, so that of those the first is looked at first.
    return sorted(possible, key=lambda pair: (-pair[0], -sum(map(eq, wanted, pair[1]))))[:_COMPARED]


def _common(letters: Counter[str], length: int, candidate: str) -> float:
    """The part of the characters of both that are the same in any order: no less than how like they are."""
    together = length + len(candidate)
    if not together or 2 * min(length, len(candidate)) < _ALIKE * together:
        return 0.0
    left = dict(letters)
    same = 0
    for letter in candidate:
        if left.get(letter, 0) > 0:
            left[letter] -= 1
            same += 1
    return 2 * same / together


def _likeness(name: str, other: str) -> float:
    return SequenceMatcher(None, other, name).ratio()
