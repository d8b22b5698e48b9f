"""Config models of connectors: their fields, which of them are secret, and what is wrong with a config."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from flowforge.language.text_fields import IS_EMPTY, TextFields, spellings
from flowforge.language.wording import sentence_of
from flowforge.secret_names import ByName
from flowforge.sentences import sentence

Path = tuple[str, ...]
Split = Callable[[str], Iterable[str]]


class ConnectorConfig(TextFields):
    """Base of config models: camelCase outside, unknown keys ignored, any value taken for text."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


@dataclass(frozen=True, slots=True)
class Separated:
    """Marks the type of a field whose text holds several values, and takes it apart: each is resolved by itself, so
    that whatever text an expression gives is one value, and a list several. `split` sees a NUL in place of each
    expression; it raises ValueError where one must not stand."""

    split: Split


@dataclass(frozen=True, slots=True)
class Guarded:
    """Marks the type of a field that people write as a language of its own, such as a query: `problem` says what is
    wrong with a value that an expression inside it gives, at that path, or None."""

    problem: Callable[[Any, Path], str | None]

    def problems(self, written: Any, resolved: Any, path: Path) -> Iterator[tuple[Path, str]]:
        """Those of all values inside the field that were computed. A field that is one expression is whole: whoever
        wrote that wanted it so."""
        if isinstance(written, str) and len(path) > 1 and has_expression(written):
            problem = self.problem(resolved, path)
            yield from () if problem is None else ((path, problem),)
        elif isinstance(written, Mapping) and isinstance(resolved, Mapping):
            for key in written:
                yield from self.problems(written[key], resolved.get(key), (*path, key))
        elif isinstance(written, list) and isinstance(resolved, list):
            for place, members in enumerate(zip(written, resolved, strict=False)):
                yield from self.problems(*members, (*path, str(place)))


def guarded_fields(model: type[ConnectorConfig]) -> Iterator[tuple[str, Guarded]]:
    """The keys of such fields."""
    for name, declared in model.model_fields.items():
        marks = [mark for mark in declared.metadata if isinstance(mark, Guarded)]
        yield from ((key, mark) for mark in marks for key in spellings(name, declared))


def listed(value: Any) -> Any:
    """What stands for a list: an object for the only one; a text for names, separated by commas."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [value] if isinstance(value, Mapping) else value


def separated_fields(model: type[ConnectorConfig]) -> Iterator[tuple[str, Separated]]:
    """The keys of such fields."""
    for name, declared in model.model_fields.items():
        yield from ((declared.alias or name, mark) for mark in declared.metadata if isinstance(mark, Separated))


def fields_without_expressions(model: type[ConnectorConfig]) -> Iterator[tuple[str, str]]:
    """Every key under which no expression may stand, with the advice what to do instead."""
    for name, declared in model.model_fields.items():
        extra = declared.json_schema_extra
        if isinstance(extra, dict) and extra.get("noExpressions"):
            yield from ((key, str(extra["noExpressions"])) for key in spellings(name, declared))


@cache
def secret_keys(model: type[ConnectorConfig]) -> tuple[str, ...]:
    """Every key of a config under which a secret may stand, in all its spellings; ByName, where its name decides."""
    return tuple(_find_secret_keys(model))


def _find_secret_keys(model: type[ConnectorConfig]) -> Iterator[str]:
    for name, declared in model.model_fields.items():
        extra = declared.json_schema_extra
        if isinstance(extra, dict) and (extra.get("secret") or extra.get("secretNames")):
            kind = str if extra.get("secret") else ByName
            yield from map(kind, spellings(name, declared))


def located_messages(error: ValidationError, config: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The path of each problem in the config, empty for one of the whole, with its message."""
    for problem in error.errors(include_url=False):
        path = _without_tags(config, tuple(str(part) for part in problem["loc"]))
        if problem["type"].startswith("union_tag_"):
            yield (*path, problem["ctx"]["discriminator"].strip("'")), _choices_of(problem)
        else:
            yield path, _message(problem)


def holds_expression(config: Mapping[str, Any], path: Path) -> bool:
    """Whether an expression stands at the path, or inside what stands there."""
    return has_expression(_value_at(config, path))


def _without_tags(config: Mapping[str, Any], path: Path) -> Path:
    """The path without what Pydantic names in it beside keys and positions: which of several models an object is, and
    under a plain value the type that it was tried as."""
    kept: Path = ()
    for part in path[:-1]:
        if not _is_tag(part, _value_at(config, kept)):
            kept = (*kept, part)
    is_plain = isinstance(_value_at(config, kept), str | int | float)
    return (*kept, *(part for part in path[-1:] if part.isdecimal() or not is_plain))


def _is_tag(part: str, holder: Any) -> bool:
    """Whether it names a model rather than a key that leads further."""
    return (
        isinstance(holder, Mapping)
        and part in map(str, holder.values())
        and not isinstance(holder.get(part), Mapping | list)
    )


def _choices_of(problem: ErrorDetails) -> str:
    if problem["type"] == "union_tag_not_found":
        return sentence("is required")
    return sentence("must be one of %(choices)s", choices=problem["ctx"]["expected_tags"].replace("'", ""))


def _message(problem: ErrorDetails) -> str:
    """What is wrong, without the value: it may be secret."""
    if problem["input"] in (None, "", []) and problem["type"] not in ("missing", "value_error"):
        return IS_EMPTY
    return sentence_of(problem)


def _value_at(value: Any, path: Path) -> Any:
    """The value a problem is about; the innermost that exists where the path names a type variant."""
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return value if not isinstance(value, Mapping) else None
    return value


def has_expression(value: Any) -> bool:
    """Whether an expression stands in a text, or anywhere inside a value."""
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(has_expression(inner) for inner in value.values())
    return isinstance(value, list) and any(has_expression(inner) for inner in value)
