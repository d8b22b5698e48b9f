"""Pydantic's validation errors, worded for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from flowforge.errors import Problem
from flowforge.language.pointers import Part, pointer
from flowforge.sentences import Sentence, either, sentence

UNWRITTEN = "·"
"""Prefix of the names that pydantic adds to a path for the member of a union it chose: nobody wrote them."""

_SENTENCES = {
    "missing": sentence("is required"),
    "string_type": sentence("must be text"),
    "int_type": sentence("must be a whole number"),
    "int_parsing": sentence("must be a whole number"),
    "int_from_float": sentence("must be a whole number"),
    "float_type": sentence("must be a number"),
    "float_parsing": sentence("must be a number"),
    "finite_number": sentence("must be a finite number"),
    "bool_type": sentence("must be true or false"),
    "bool_parsing": sentence("must be true or false"),
    "list_type": sentence("must be a list"),
    "dict_type": sentence("must be an object"),
    "model_type": sentence("must be an object"),
    "model_attributes_type": sentence("must be an object"),
    "greater_than": sentence("must be more than %(gt).10g"),
    "greater_than_equal": sentence("must be at least %(ge).10g"),
    "less_than_equal": sentence("must be at most %(le).10g"),
    "string_too_short": sentence("must have at least %(min_length)s characters"),
    "string_too_long": sentence("must have at most %(max_length)s characters"),
    "too_short": sentence("must have at least %(min_length)s entries"),
    "too_long": sentence("must have at most %(max_length)s entries"),
    "enum": sentence("must be %(expected)s"),
    "literal_error": sentence("must be %(expected)s"),
}

_SCALARS = {
    "string_type": "str",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "float",
    "float_parsing": "float",
    "bool_type": "bool",
    "bool_parsing": "bool",
}
"""What pydantic adds to the path for each of the types that are allowed, where a value is of none of them."""


_NOUNS = {
    "string_type": sentence("text"),
    "int_type": sentence("a whole number"),
    "int_parsing": sentence("a whole number"),
    "int_from_float": sentence("a whole number"),
    "float_type": sentence("a number"),
    "float_parsing": sentence("a number"),
    "bool_type": sentence("true or false"),
    "bool_parsing": sentence("true or false"),
}
"""The same types, as the second of those that are allowed."""


def problems_of(error: ValidationError) -> list[Problem]:
    """Every problem, with its JSON pointer."""
    return [Problem(pointer(path), message) for path, message in located(error)]


def located(error: ValidationError) -> list[tuple[tuple[Part, ...], str]]:
    """Every problem, with its path."""
    worded: list[tuple[tuple[Part, ...], str]] = []
    for found in error.errors(include_url=False, include_input=False):
        path, message = _written(found["loc"]), sentence_of(found)
        if _is_choice(found, path) and worded and worded[-1][0] == path[:-1]:
            worded[-1] = (path[:-1], either([worded[-1][1], _NOUNS[found["type"]]]))
        else:
            worded.append((path[:-1] if _is_choice(found, path) else path, message))
    return worded


def _is_choice(found: Mapping[str, Any], path: tuple[Part, ...]) -> bool:
    """Whether it is about one of several types that are allowed, whose name pydantic adds to the path."""
    return path[-1:] == (_SCALARS.get(found["type"]),)


def _written(path: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in path if not (isinstance(part, str) and part.startswith(UNWRITTEN)))


def sentence_of(found: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors, to stand behind the name of its field."""
    known, values = _SENTENCES.get(found["type"]), found.get("ctx", {})
    if known is not None:
        return known.with_values(**_with_choices(values)) if values else known
    raised = values.get("error")
    if isinstance(raised, ValueError) and raised.args and isinstance(raised.args[0], Sentence):
        return raised.args[0]
    return _reworded(str(found["msg"]))


def _with_choices(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what is `expected`, `'a', 'b' or 'c'`, as a sentence."""
    first, separator, last = str(values.get("expected", "")).rpartition(" or ")
    return {**values, "expected": either([first, last])} if separator else dict(values)


def _reworded(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should ", "must ", 1)
