"""Reading of an object that a client sent, field by field, so that every problem can be named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flowforge.errors import Problem
from flowforge.sentences import sentence

T = TypeVar("T")


def _any(_: object) -> bool:
    return True


class FieldReader:
    """Reads fields of JSON's own types. One that cannot be used is read as None, and its problem kept."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self.problems: list[Problem] = []

    def take(self, name: str, type_: type[T], wrong: str, fits: Callable[[T], bool] = _any) -> T | None:
        """Read a field that may be left out; null is the same as leaving it out. `wrong`: the problem of a value that
        has another type or does not fit."""
        value = self._raw.get(name)
        if value is None:
            return None
        if type(value) is type_ and fits(value):
            return value
        self.problems.append(Problem(f"/{name}", wrong))
        return None

    def require(self, name: str, type_: type[T], wrong: str) -> T | None:
        """Read a field that has to be there."""
        if self._raw.get(name) is None:
            self.problems.append(Problem(f"/{name}", sentence("is required")))
        return self.take(name, type_, wrong)

    def flag(self, name: str) -> bool | None:
        return self.take(name, bool, sentence("must be true or false"))
