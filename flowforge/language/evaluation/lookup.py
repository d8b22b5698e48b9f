"""Finding data by name. Only data: an expression can reach no attribute and no method of any Python object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.language.evaluation.meter import Failure
from flowforge.language.evaluation.names import hint, quoted
from flowforge.language.evaluation.values import describe
from flowforge.language.pointers import Part, dotted

THIS_VALUE = "this value"

_MOST_KEYS = 10
_POSITION_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Missing:
    """Value of a path that leads to nothing. Fields of it are missing for the same reason."""

    holder: Any
    key: Any
    trail: str
    computed: bool = False
    """Whether the key comes from data: then it is not shown, for it may be secret."""

    def failure(self) -> Failure:
        """Says what is missing, where, and which existing name is nearest."""
        if self.computed:
            return Failure(f"{self.trail} has nothing under the name or position computed in [ ]")
        return Failure(self._explain(quoted(self.key)), blamed=str(self.key))

    def _explain(self, name: str) -> str:
        if isinstance(self.holder, Mapping):
            suggestion = hint(str(self.key), map(str, self.holder))
            return f"{self.trail} has no {name}{suggestion}" if self.trail else f"{name} is not known{suggestion}"
        if isinstance(self.holder, list | tuple | str):
            return self._outside_of(self.holder)
        return f"{self.trail} is {describe(self.holder)}, so it has no {name}"

    def _outside_of(self, sequence: list[Any] | tuple[Any, ...] | str) -> str:
        if isinstance(self.key, int):
            return f"{self.trail} has no position {self.key}: its length is {len(sequence)}"
        return f"{self.trail} is {describe(sequence)}, so it has no {quoted(self.key)}"


def look_up(holder: Any, key: Any, trail: str = THIS_VALUE, *, computed: bool = False) -> Any:
    """The field or the position; Missing where there is none."""
    if isinstance(holder, Missing):
        return holder
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise Failure(f"{trail} is looked into with {describe(key)}; that takes a name or a position")
    if isinstance(holder, Mapping):
        name = str(key)
        return holder[name] if name in holder else Missing(holder, key, trail, computed)
    if isinstance(holder, list | tuple | str) and isinstance(key, int) and -len(holder) <= key < len(holder):
        return holder[key]
    return Missing(holder, key, trail, computed)


def follow(root: Any, keys: tuple[Part, ...]) -> Any:
    """Return the value at the end of the path; Missing where it breaks off."""
    value = root
    for position, key in enumerate(keys):
        value = look_up(value, key, dotted(keys[:position]))
    return value


def required(value: Any) -> Any:
    """The value itself. Raises Failure where it is Missing."""
    if isinstance(value, Missing):
        raise value.failure()
    return value


def attribute_keys(path: str) -> tuple[Part, ...]:
    """The keys of a dotted path such as `customer.name` or `rows.0`, as filters take it. Raises Failure."""
    names = path.split(".", _MOST_KEYS)
    if len(names) > _MOST_KEYS:
        raise Failure(f"a path may have {_MOST_KEYS} names")
    return tuple(int(name) if name.isdecimal() and len(name) < _POSITION_DIGITS else name for name in names)


def reach(value: Any, keys: tuple[Part, ...]) -> Any:
    """Return the value that the keys lead to from a member of a list; Missing where they break off."""
    for key in keys:
        value = look_up(value, key)
    return value
