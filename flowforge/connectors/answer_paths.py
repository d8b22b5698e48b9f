"""Paths into an answer, as people write them: `body.data[-1].id`, `headers.x-next-page`, `body['@odata.nextLink']`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from flowforge.sentences import sentence

Key = str | int
_PART = re.compile(
    r"""\.?(?P<name>[^.\[\]'"]+)|\[(?P<number>-?\d{1,9})\]|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
)
_MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class AnswerPath:
    keys: tuple[Key, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError for what is no path. Headers may be written in any case."""
        keys = tuple(_keys(text.strip()))
        if keys and keys[0] == "headers":
            keys = tuple(key.lower() if isinstance(key, str) else key for key in keys)
        if not keys or len(keys) > _MOST_KEYS:
            raise ValueError(sentence("must be a path such as body.data or headers.x-next-page"))
        return cls(keys)

    def find(self, answer: Any) -> Any:
        """The value there; None where there is none. A name with dots in it is found without quotes, too."""
        return _find(answer, self.keys)

    def replaced_in(self, document: Any, value: Any) -> Any:
        """A copy of the document with that value there, with objects around it where there are none."""
        return _replaced(document, self.keys, value)


def _keys(text: str) -> Iterator[Key]:
    """Raises ValueError."""
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise ValueError(sentence("is no path at %(text)s", text=repr(text[at : at + 20])))
        at = found.end()
        yield int(found["number"]) if found["number"] else found["name"] or found["quoted"]


def _find(value: Any, keys: Sequence[Key]) -> Any:
    if not keys:
        return value
    if isinstance(value, list):
        return _find(_member(value, keys[0]), keys[1:])
    if not isinstance(value, Mapping):
        return None
    for end in range(1, len(keys) + 1):
        name = ".".join(str(key) for key in keys[:end])
        if name in value:
            return _find(value[name], keys[end:])
    return None


def _member(value: Sequence[Any], number: Key) -> Any:
    return value[number] if isinstance(number, int) and -len(value) <= number < len(value) else None


def _replaced(document: Any, keys: Sequence[Key], value: Any) -> Any:
    if not keys:
        return value
    within = document if isinstance(document, Mapping) else {}
    name = str(keys[0])
    return {**within, name: _replaced(within.get(name), keys[1:], value)}
