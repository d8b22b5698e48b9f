"""Sentences for people, in English, that can be said in another language: each knows the template it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce


class Sentence(str):
    """The English sentence. `template`: the same with `%(name)s` in the place of what changes, as catalogues of
    translations hold it. `values`: what stands for the names; a sentence among them is said in the other language, too.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def with_values(self, **values: object) -> Sentence:
        """The template, filled in with other values. Raises KeyError where one is lacking."""
        return sentence(self.template, **values)


class Count(int):
    """A number that sentences write with its thousands set apart: 10,000 in English."""

    def __str__(self) -> str:
        return f"{int(self):,}"


def sentence(template: str, **values: object) -> Sentence:
    """Without values, the template itself: its names may be filled in later."""
    made = Sentence(template % values if values else template)
    made.template, made.values = template, values
    return made


def joined(separator: str, parts: Iterable[str]) -> Sentence:
    """Sentences, names and numbers in a row; each part is said in the other language by itself."""
    values = {str(number): part for number, part in enumerate(parts)}
    return sentence(separator.join(f"%({name})s" for name in values), **values)


def either(parts: Iterable[str]) -> str:
    """The parts as alternatives: “a or b or c”. Raises TypeError where there is none."""
    return reduce(lambda one, other: sentence("%(one)s or %(other)s", one=one, other=other), parts)


def message_of(error: Exception) -> str:
    """What the error says: the sentence that it was raised with, where it was one, else its text."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Sentence) else str(error)
