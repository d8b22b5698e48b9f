"""Secrets that are written into a step's input. They would be stored as they are there, for only fields that a
connector declares are sealed: what a description calls secret is known only with the description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.apis.references import escape
from flowforge.apis.sign_ins import SignIn
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.secret_names import is_secret_name
from flowforge.sentences import sentence

_PLACES = ("query", "headers", "cookies")
_ADVICE = sentence("is a secret, which would be stored as it is: use a connection, or {{ secrets.NAME }}")


@dataclass(frozen=True, slots=True)
class LiteralSecrets:
    """Finds a parameter or field with the name of a secret, or of a key that callers sign in with, and a field that the
    form declares `writeOnly`. `is_open` says of a value that it is an expression."""

    names_of_keys: frozenset[str]
    """In small letters."""
    is_open: Callable[[Any], bool]

    @classmethod
    def of(cls, sign_ins: Iterable[SignIn], is_open: Callable[[Any], bool]) -> LiteralSecrets:
        return cls(frozenset(sign_in.parameter.lower() for sign_in in sign_ins if sign_in.parameter), is_open)

    def find(self, form: JsonObject, input_: Any) -> Iterator[Problem]:
        """A problem for each."""
        sections = input_ if isinstance(input_, Mapping) else {}
        for place in _PLACES:
            parameters = sections.get(place)
            for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
                if self._is_literal(value) and (is_secret_name(name) or self._is_key(name)):
                    yield Problem(f"/{place}/{escape(name)}", _ADVICE)
        yield from self._in_body(form.get("properties", {}).get("body", {}), sections.get("body"), "/body")

    def _in_body(self, schema: JsonObject, value: Any, at: str, name: str = "") -> Iterator[Problem]:
        if self._is_literal(value) and (schema.get("writeOnly") or self._is_key(name)):
            yield Problem(at, _ADVICE)
        elif isinstance(value, Mapping):
            properties = schema.get("properties", {})
            for name, inner in value.items():
                yield from self._in_body(properties.get(name, {}), inner, f"{at}/{escape(name)}", name)
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._in_body(schema.get("items", {}), item, f"{at}/{number}")

    def _is_key(self, name: str) -> bool:
        return name.lower() in self.names_of_keys

    def _is_literal(self, value: Any) -> bool:
        return isinstance(value, str) and bool(value) and not self.is_open(value)
