"""The tests: `{{ value is name }}`, and the same names for selectattr and rejectattr."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowforge.language.evaluation.lookup import Missing
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.names import UnknownName, quoted
from flowforge.language.evaluation.operators import COMPARISONS
from flowforge.language.evaluation.values import number
from flowforge.sentences import Sentence, sentence


@dataclass(frozen=True)
class Predicate:
    """One test: its function, and whether it accepts a missing value."""

    name: str
    compute: Callable[..., bool]
    accepts_missing: bool = False

    def check_arguments(self, positional: int) -> None:
        """Raises Failure when the test takes another number of arguments."""
        expected = len(inspect.signature(self.compute).parameters) - 2
        if positional != expected:
            raise Failure(_takes(self.name, expected))


def _takes(name: str, expected: int) -> Sentence:
    if expected == 1:
        return sentence("the test '%(name)s' takes 1 argument", name=name)
    return sentence("the test '%(name)s' takes %(expected)s arguments", name=name, expected=expected)


def find_predicate(name: str) -> Predicate:
    """Raises UnknownName, a Failure, when there is no such test."""
    if name not in PREDICATES:
        raise UnknownName(sentence("there is no test %(name)s", name=quoted(name)), name, "test", sorted(PREDICATES))
    return PREDICATES[name]


def _is(*kinds: type) -> Callable[[Meter, Any], bool]:
    return lambda _, value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _divisible(meter: Meter, value: Any, by: Any) -> bool:
    divisor = number(by, "divisibleby")
    if divisor == 0:
        raise Failure(sentence("divisibleby: division by zero"))
    return number(value, "divisibleby") % divisor == 0


_ALIASES = {
    "eq": ("equalto", "==", "sameas"),
    "ne": ("!=",),
    "lt": ("lessthan", "<"),
    "lteq": ("le", "<="),
    "gt": ("greaterthan", ">"),
    "gteq": ("ge", ">="),
    "in": (),
}

PREDICATES: dict[str, Predicate] = {
    predicate.name: predicate
    for predicate in [
        Predicate("defined", lambda _, value: not isinstance(value, Missing), accepts_missing=True),
        Predicate("undefined", lambda _, value: isinstance(value, Missing), accepts_missing=True),
        Predicate("none", lambda _, value: value is None),
        Predicate("true", lambda _, value: value is True),
        Predicate("false", lambda _, value: value is False),
        Predicate("boolean", _is(bool)),
        Predicate("string", _is(str)),
        Predicate("number", _is(int, float)),
        Predicate("integer", _is(int)),
        Predicate("float", _is(float)),
        Predicate("mapping", _is(dict)),
        Predicate("sequence", _is(list, tuple)),
        Predicate("even", lambda meter, value: _divisible(meter, value, 2)),
        Predicate("odd", lambda meter, value: not _divisible(meter, value, 2)),
        Predicate("divisibleby", _divisible),
        *[Predicate(alias, COMPARISONS[name]) for name, more in _ALIASES.items() for alias in (name, *more)],
    ]
}
