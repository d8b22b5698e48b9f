"""Inputs, checked against the form of their operation."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flowforge import jsonio
from flowforge.apis.fitting import IsOpen, fit
from flowforge.apis.references import escape
from flowforge.errors import MAX_PROBLEMS, Problem, at_most
from flowforge.file_values import read_file
from flowforge.jsonio import JsonObject
from flowforge.sentences import Count, Sentence, sentence

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), sentence("must be text")),
    "number": ((int, float), sentence("must be a number")),
    "integer": ((int,), sentence("must be a whole number")),
    "boolean": ((bool,), sentence("must be true or false")),
    "object": ((dict,), sentence("must be an object")),
    "array": ((list,), sentence("must be a list")),
}
_MOST_VISITS = 100_000
_LONGEST_MATCHED = 10_000
_BYTES_OF_ENGINE = 1 << 20
_MOST_NAMED = 12


def find_problems(schema: JsonObject, value: Any, is_open: IsOpen = lambda _: False) -> list[Problem]:
    """What is wrong with a value after a schema of `form_schema`, each with the pointer to its field.

    The value is taken as `fit` makes it. `is_open` says of a part that it is not known yet, as an expression's: it is
    right everywhere. Of a value with more than 100,000 parts the rest is left to the API.
    """
    checking = _Checking(is_open)
    found: list[Problem] = []
    for problem in checking.check(schema, fit(schema, value, is_open), ""):
        found.append(problem)
        if len(found) > MAX_PROBLEMS:
            break
    return at_most(found)


@dataclass(slots=True)
class _Checking:
    is_open: IsOpen
    visits: int = 0

    def check(self, schema: JsonObject, value: Any, at: str) -> Iterator[Problem]:
        self.visits += 1
        if self.is_open(value) or self.visits > _MOST_VISITS or (value is None and schema.get("nullable")):
            return
        if "oneOf" in schema:
            yield from self._check_choices(schema, value, at)
        elif schema.get("format") == "binary":
            yield from _check_file(value, at)
        else:
            yield from self._check_type(schema, value, at)

    def _check_type(self, schema: JsonObject, value: Any, at: str) -> Iterator[Problem]:
        types, message = _KINDS.get(schema.get("type", ""), ((object,), ""))
        is_wrong_boolean = isinstance(value, bool) and schema.get("type") in ("number", "integer")
        if not isinstance(value, types) or is_wrong_boolean:
            yield Problem(at, message)
            return
        if "enum" in schema and value not in schema["enum"]:
            yield Problem(at, sentence("must be one of %(choices)s", choices=_listed(schema["enum"])))
        yield from self._check_inside(schema, value, at)

    def _check_inside(self, schema: JsonObject, value: Any, at: str) -> Iterator[Problem]:
        if isinstance(value, dict):
            yield from self._check_object(schema, value, at)
        elif isinstance(value, list):
            yield from self._check_list(schema, value, at)
        elif isinstance(value, str):
            yield from _check_text(schema, value, at)
        elif isinstance(value, int | float):
            yield from _check_number(schema, value, at)

    def _check_object(self, schema: JsonObject, value: JsonObject, at: str) -> Iterator[Problem]:
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield Problem(f"{at}/{escape(name)}", sentence("is required"))
        others = schema.get("additionalProperties", {})
        for name, inner in value.items():
            pointer = f"{at}/{escape(str(name))}"
            if name in properties:
                yield from self.check(properties[name], inner, pointer)
            elif others is False:
                yield Problem(pointer, _unknown(str(name), properties))
            else:
                yield from self.check(others, inner, pointer)

    def _check_list(self, schema: JsonObject, value: list[Any], at: str) -> Iterator[Problem]:
        yield from _check_count(schema, len(value), at, _ENTRIES)
        if schema.get("uniqueItems") and not any(map(self.is_open, value)) and _repeats(value):
            yield Problem(at, sentence("must not have the same entry twice"))
        for index, item in enumerate(value):
            yield from self.check(schema.get("items", {}), item, f"{at}/{index}")

    def _check_choices(self, schema: JsonObject, value: Any, at: str) -> Iterator[Problem]:
        """The problems with the choice that the value comes closest to; none where it is one of them."""
        offered = _meant(schema, value, self.is_open)
        closest: list[Problem] | None = None
        for choice in offered:
            problems = list(self.check(choice, fit(choice, value, self.is_open), at))
            if not problems:
                return
            closest = problems if closest is None or len(problems) < len(closest) else closest
        if closest and (len(offered) == 1 or all(problem.pointer != at for problem in closest)):
            yield from closest
        else:
            yield Problem(
                at,
                sentence(
                    "must be one of: %(choices)s", choices=_listed([choice["title"] for choice in schema["oneOf"]])
                ),
            )


def _meant(schema: JsonObject, value: Any, is_open: IsOpen) -> list[JsonObject]:
    """The choices that the discriminator leaves: all of them without one."""
    offered: list[JsonObject] = schema["oneOf"]
    name = schema.get("discriminator")
    if name is None or not isinstance(value, dict) or name not in value or is_open(value[name]):
        return offered
    named = [choice for choice in offered if value[name] in _values_of(choice, name)]
    return named or offered


def _values_of(choice: JsonObject, name: str) -> list[Any]:
    values: list[Any] = choice.get("properties", {}).get(name, {}).get("enum", [])
    return values


def _check_file(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, str) and read_file(value) is None:
        yield Problem(at, sentence("must be a file, such as the body of a download or an upload, or text"))


def _check_text(schema: JsonObject, value: str, at: str) -> Iterator[Problem]:
    yield from _check_count(schema, len(value), at, _CHARACTERS)
    pattern = schema.get("pattern")
    if pattern is not None and not _matches(pattern, value):
        yield Problem(at, sentence("must match the pattern %(pattern)s", pattern=pattern))


def is_within(schema: JsonObject, value: float) -> bool:
    """Whether a number keeps the bounds of a schema."""
    return not list(_check_number(schema, value, ""))


def _check_number(schema: JsonObject, value: int | float, at: str) -> Iterator[Problem]:
    for keyword, holds, must in _BOUNDS:
        bound = schema.get(keyword)
        if bound is not None and not holds(value, bound):
            yield Problem(at, must.with_values(bound=bound))
    step = schema.get("multipleOf")
    if isinstance(step, int) and isinstance(value, int) and value % step:
        yield Problem(at, sentence("must be a multiple of %(step)s", step=step))


_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], Sentence], ...] = (
    ("minimum", lambda value, bound: value >= bound, sentence("must be at least %(bound)s")),
    ("maximum", lambda value, bound: value <= bound, sentence("must be at most %(bound)s")),
    ("exclusiveMinimum", lambda value, bound: value > bound, sentence("must be more than %(bound)s")),
    ("exclusiveMaximum", lambda value, bound: value < bound, sentence("must be less than %(bound)s")),
)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The keywords for the number of something, and the sentences about it."""

    least: str
    most: str
    too_few: Sentence
    too_many: Sentence


_ENTRIES = _Counted(
    "minItems",
    "maxItems",
    sentence("must have at least %(min_length)s entries"),
    sentence("must have at most %(max_length)s entries"),
)
_CHARACTERS = _Counted(
    "minLength",
    "maxLength",
    sentence("must have at least %(min_length)s characters"),
    sentence("must have at most %(max_length)s characters"),
)


def _check_count(schema: JsonObject, count: int, at: str, of: _Counted) -> Iterator[Problem]:
    if count < schema.get(of.least, 0):
        yield Problem(at, of.too_few.with_values(min_length=Count(schema[of.least])))
    if of.most in schema and count > schema[of.most]:
        yield Problem(at, of.too_many.with_values(max_length=Count(schema[of.most])))


def _matches(pattern: str, value: str) -> bool:
    """Whether the pattern is in the text, by an engine without backtracking; one that it cannot read is left to the
    API, and so is a long text."""
    compiled = _compiled(pattern)
    if compiled is None or len(value) > _LONGEST_MATCHED:
        return True
    try:
        return compiled.search(value) is not None
    except UnicodeEncodeError:
        return True


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2  # three megabytes that most processes never need

    options = re2.Options()
    options.max_mem = _BYTES_OF_ENGINE
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except (re2.error, UnicodeEncodeError):
        return None


def _repeats(values: list[Any]) -> bool:
    return len({jsonio.dumps(value) for value in values}) < len(values)


def _unknown(name: str, known: JsonObject) -> str:
    near = difflib.get_close_matches(name, list(known)[:1_000], n=1)
    if near:
        return sentence("is not known here; did you mean %(name)s?", name=near[0])
    return sentence("is not known here")


def _listed(values: list[Any]) -> str:
    shown = ", ".join(str(value)[:60] for value in values[:_MOST_NAMED])
    return f"{shown}, …" if len(values) > _MOST_NAMED else shown
