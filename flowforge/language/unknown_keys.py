"""Keys that a model does not have. They are accepted, since clients may send more than we know, and have no effect:
whoever wrote them is told so, with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flowforge.errors import Problem
from flowforge.language.definition import ActionDefinition
from flowforge.language.evaluation.names import nearest, quoted
from flowforge.language.pointers import Part, pointer
from flowforge.language.text_fields import spellings
from flowforge.sentences import sentence

Path = tuple[Part, ...]
Model = type[BaseModel]


def warnings_of(model: Model, written: Any, path: Path, known: Collection[str] = ()) -> Iterator[Problem]:
    """A warning for each key that neither the model nor one inside of it has. `known`: further keys that have a
    meaning. Actions inside of others are not looked into: whoever goes through a definition comes to each of them."""
    if not isinstance(written, Mapping) or model.model_config.get("extra") == "allow" or not _may_be(model, written):
        return
    keys = _keys_of(model)
    for key, value in written.items():
        if key in keys:
            yield from _warnings_inside(keys[key].annotation, value, (*path, key))
        elif key not in known:
            yield Problem(
                pointer((*path, key)),
                sentence("is not known, so it has no effect%(hint)s", hint=_hint(key, model, known)),
            )


def _warnings_inside(annotation: Any, value: Any, path: Path) -> Iterator[Problem]:
    for model in _models_in(annotation):
        if isinstance(value, list):
            for number, member in enumerate(value):
                yield from warnings_of(model, member, (*path, number))
        else:
            yield from warnings_of(model, value, path)


def _may_be(model: Model, written: Mapping[str, Any]) -> bool:
    """Whether the fields that always have the same value there, by which models are told apart, have it."""
    return all(written.get(key, value) == value for key, value in _constants_of(model).items())


@cache
def _constants_of(model: Model) -> Mapping[str, Any]:
    """The only value of each field that can have one alone."""
    found = {key: get_args(field.annotation) for key, field in _keys_of(model).items() if _is_literal(field)}
    return {key: values[0] for key, values in found.items() if len(values) == 1}


def _is_literal(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal


def _hint(key: str, model: Model, known: Collection[str]) -> str:
    meant = nearest(key, [*map(_name_outside, model.model_fields.items()), *known])
    return sentence("; did you mean %(name)s?", name=quoted(meant)) if meant else ""


def _name_outside(field: tuple[str, FieldInfo]) -> str:
    name, declared = field
    return declared.serialization_alias or declared.alias or name


@cache
def _keys_of(model: Model) -> Mapping[str, FieldInfo]:
    """Each field by every spelling of its name."""
    return {key: field for name, field in model.model_fields.items() for key in spellings(name, field)}


def _models_in(annotation: Any) -> Iterator[Model]:
    """The models of which a value of that type is one, or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation is not ActionDefinition:
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models_in(inner)
