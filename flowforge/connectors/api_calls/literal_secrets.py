"""Secrets that are written into a step's input. They would be stored as they are there, for only fields that a
connector declares are sealed: what a description calls secret is known only with the description."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowforge.apis.references import escape
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.secret_names import is_secret_name

_PLACES = ("query", "headers", "cookies")
_ADVICE = "is a secret, which would be stored as it is: use a connection, or {{ secrets.NAME }}"


def find_literal_secrets(form: JsonObject, input_: Any, is_open: Callable[[Any], bool]) -> Iterator[Problem]:
    """A problem for each: a parameter with the name of a secret, and a field that the form declares `writeOnly`.
    `is_open` says of a value that it is an expression."""
    sections = input_ if isinstance(input_, Mapping) else {}
    for place in _PLACES:
        parameters = sections.get(place)
        for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
            if is_secret_name(name) and isinstance(value, str) and value and not is_open(value):
                yield Problem(f"/{place}/{escape(name)}", _ADVICE)
    yield from _write_only(form.get("properties", {}).get("body", {}), sections.get("body"), is_open, "/body")


def _write_only(schema: JsonObject, value: Any, is_open: Callable[[Any], bool], at: str) -> Iterator[Problem]:
    if schema.get("writeOnly") and isinstance(value, str) and value and not is_open(value):
        yield Problem(at, _ADVICE)
    elif isinstance(value, Mapping):
        for name, inner in schema.get("properties", {}).items():
            yield from _write_only(inner, value.get(name), is_open, f"{at}/{escape(name)}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _write_only(schema.get("items", {}), item, is_open, f"{at}/{number}")
