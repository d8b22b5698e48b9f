"""Arithmetic, comparison and joining, with bounded cost and no surprises between kinds of values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flowforge.language.evaluation.equality import is_among, same
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import describe, number, to_text, weigh

Binary = Callable[[Meter, Any, Any], Any]

_POINTER_BYTES = 8
_LARGEST_EXPONENT = 64
_BITS_PER_NANOSECOND = 300
_MOST_BITS_OF_POWERS = 64
_SEARCH_NANOSECONDS = 8
# Below these lengths CPython searches in the plain way: each character may cost as many looks as there are in the text
# that is sought. Above them it takes an algorithm that never looks back.
_SHORT_TEXT, _SHORT_SOUGHT = 30_000, 100
_TINY_TEXT = 2_500


def add(meter: Meter, left: Any, right: Any) -> Any:
    """Sum of numbers; text or lists put together."""
    if isinstance(left, str) and isinstance(right, str):
        return concatenate(meter, [left, right])
    if isinstance(left, list) and isinstance(right, list):
        meter.memory((len(left) + len(right)) * _POINTER_BYTES)
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        raise Failure(f"+ cannot add {describe(left)} and {describe(right)}; ~ joins anything as text")
    return number(number(left, "+") + number(right, "+"), "+")


def concatenate(meter: Meter, values: list[Any]) -> str:
    """Everything as text, put together."""
    parts = [to_text(value, meter) for value in values]
    # The widest part decides how many bytes each character of the whole takes.
    width = 4 if any(not part.isascii() for part in parts) else 1
    meter.memory(sum(map(len, parts)) * width)
    return "".join(parts)


def arithmetic(symbol: str, compute: Callable[[Any, Any], Any]) -> Binary:
    def apply(meter: Meter, left: Any, right: Any) -> Any:
        a, b = number(left, symbol), number(right, symbol)
        _pay_for_digits(meter, a, b)
        try:
            return number(compute(a, b), symbol)
        except ZeroDivisionError as error:
            raise Failure("division by zero") from error
        except OverflowError as error:
            raise Failure("the result is not a finite number") from error

    return apply


def _pay_for_digits(meter: Meter, left: float, right: float) -> None:
    """Pay for reckoning with whole numbers that a processor does not hold: each part of one meets each of the other."""
    if isinstance(left, int) and isinstance(right, int):
        meter.work(left.bit_length() * right.bit_length() // _BITS_PER_NANOSECOND)


def _power(base: float, exponent: float) -> Any:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise Failure(f"the exponent of ** may be at most {_LARGEST_EXPONENT}")
    if _bits(base) > _MOST_BITS_OF_POWERS or _bits(result := base**exponent) > _MOST_BITS_OF_POWERS:
        raise Failure(f"** takes and gives whole numbers of at most {_MOST_BITS_OF_POWERS} bits")
    if isinstance(result, complex):
        raise Failure("a negative number has no such root")
    return result


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def negate(value: Any) -> Any:
    return number(-number(value, "-"), "-")


ARITHMETIC: dict[str, Binary] = {
    "add": add,
    "sub": arithmetic("-", operator.sub),
    "mul": arithmetic("*", operator.mul),
    "div": arithmetic("/", operator.truediv),
    "floordiv": arithmetic("//", operator.floordiv),
    "mod": arithmetic("%", operator.mod),
    "pow": arithmetic("**", _power),
}


def equal(meter: Meter, left: Any, right: Any) -> bool:
    _pay_for_comparing(meter, left, right)
    return same(meter, left, right)


def contains(meter: Meter, item: Any, container: Any) -> bool:
    """Text in text, a value in a list, a field in an object."""
    if isinstance(container, str):
        if not isinstance(item, str):
            raise Failure(f"text cannot contain {describe(item)}")
        pay_for_search(meter, container, item)
        return item in container
    if isinstance(container, dict):
        return isinstance(item, str) and item in container
    if isinstance(container, list | tuple):
        weigh(container, meter)
        return is_among(meter, item, container)
    raise Failure(f"in needs text, a list or an object on its right, not {describe(container)}")


def pay_for_search(meter: Meter, text: str, sought: str, times: int = 1) -> None:
    """Pay for going through all of a text so many times to find another one in it.

    Python's search takes time in proportion to a long text. In a short one, and in the end of a long one that is taken
    apart, it may look at all of what is sought again at each character.
    """
    looks = max(
        min(len(text), _SHORT_TEXT) * min(len(sought), _SHORT_SOUGHT),
        min(len(text), _TINY_TEXT) * min(len(sought), _TINY_TEXT // 2),
    )
    again = times if len(text) <= _SHORT_TEXT else 1
    meter.work(len(text) * _SEARCH_NANOSECONDS + looks * again)


def _advice(left: Any, right: Any) -> str:
    """What to do about text that is compared with a number."""
    kinds = {describe(left), describe(right)}
    return "; | float makes a number of text" if kinds == {"text", "a number"} else ""


def ordering(symbol: str, compare: Callable[[Any, Any], Any]) -> Binary:
    def apply(meter: Meter, left: Any, right: Any) -> bool:
        _pay_for_comparing(meter, left, right)
        try:
            return bool(compare(left, right))
        except TypeError as error:
            raise Failure(
                f"{symbol} cannot compare {describe(left)} with {describe(right)}{_advice(left, right)}"
            ) from error

    return apply


COMPARISONS: dict[str, Binary] = {
    "eq": equal,
    "ne": lambda meter, left, right: not equal(meter, left, right),
    "lt": ordering("<", operator.lt),
    "lteq": ordering("<=", operator.le),
    "gt": ordering(">", operator.gt),
    "gteq": ordering(">=", operator.ge),
    "in": contains,
    "notin": lambda meter, item, container: not contains(meter, item, container),
}


def _pay_for_comparing(meter: Meter, left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, str):
        meter.work(min(len(left), len(right)))
    elif isinstance(left, dict | list | tuple):
        weigh(left, meter)
