"""Registry of filters: each is a function, offered by the module of its subject.

A filter is a function of the meter, the value and its arguments. It pays the meter before it does work or makes data
whose size depends on the value. Its docstring is its help, its parameters are its usage.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from flowforge.language.evaluation.meter import Failure
from flowforge.sentences import message_of, sentence

Function = TypeVar("Function", bound=Callable[..., Any])
Argument = TypeVar("Argument")

NOT_GIVEN: Final = object()
"""Default of an argument that may be left out and has no value then."""


@dataclass(frozen=True)
class Filter:
    """One filter under one of its names."""

    name: str
    compute: Callable[..., Any]
    key: str | None = None
    """The argument that is the key of a signature: the value tells nothing of it."""
    publishes: bool = False
    """Whether others can read what it is given: no secret may be in it."""
    on_item: str | None = None
    """The argument that may be an expression on `item`: it is then an ItemExpression."""

    @property
    def help(self) -> str:
        return inspect.getdoc(self.compute) or ""

    @property
    def usage(self) -> str:
        """`replace(old, new)`, as documentation and messages show it."""
        parameters = list(self._signature.parameters.values())[2:]
        return f"{self.name}({', '.join(map(_shown, parameters))})" if parameters else self.name

    def key_among(self, positional: Sequence[Argument], named: Mapping[str, Argument]) -> Argument | None:
        """The key, among the arguments of a use; None for a filter that has none."""
        return self._argument(self.key, positional, named)

    def on_item_among(self, positional: Sequence[Argument], named: Mapping[str, Argument]) -> Argument | None:
        """The argument that may be an expression on `item`, among those of a use; None where there is none."""
        return self._argument(self.on_item, positional, named)

    def _argument(
        self, name: str | None, positional: Sequence[Argument], named: Mapping[str, Argument]
    ) -> Argument | None:
        if name is None or name in named:
            return named.get(name or "")
        position = list(self._signature.parameters).index(name) - 2
        return positional[position] if position < len(positional) else None

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.compute)

    def check_arguments(self, positional: int, named: list[str]) -> None:
        """Raises Failure when it cannot be called with so many arguments and these names."""
        try:
            self._signature.bind(None, None, *[None] * positional, **dict.fromkeys(named))
        except TypeError as error:
            raise Failure(
                sentence("the filter is used as %(usage)s: %(error)s", usage=self.usage, error=message_of(error))
            ) from error


class Register:
    """Filters by name. Filled while the module that defines them is imported, constant afterwards."""

    def __init__(self) -> None:
        self._filters: dict[str, Filter] = {}

    def add(
        self, *names: str, key: str | None = None, publishes: bool = False, on_item: str | None = None
    ) -> Callable[[Function], Function]:
        """Offers the function under each of the names. `key`, `publishes`, `on_item`: see Filter."""

        def register(function: Function) -> Function:
            self._filters.update({name: Filter(name, function, key, publishes, on_item) for name in names})
            return function

        return register

    @property
    def all(self) -> Mapping[str, Filter]:
        return self._filters


def _shown(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"{parameter.name}…"
    if parameter.default is parameter.empty:
        return parameter.name
    if parameter.default is NOT_GIVEN:
        return f"{parameter.name}?"
    return f"{parameter.name}={_literal(parameter.default)}"


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return repr(value)
