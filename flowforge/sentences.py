"""Sentences for people, in English, that can be said in another language: each knows the template it was made of."""

from __future__ import annotations

from collections.abc import Mapping


class Sentence(str):
    """The English sentence. `template`: the same with `%(name)s` in the place of what changes, as catalogues of
    translations hold it. `values`: what stands for the names."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def with_values(self, **values: object) -> Sentence:
        """The template, filled in with other values. Raises KeyError where one is lacking."""
        return sentence(self.template, **values)


def sentence(template: str, **values: object) -> Sentence:
    """Without values, the template itself: its names may be filled in later."""
    made = Sentence(template % values if values else template)
    made.template, made.values = template, values
    return made
