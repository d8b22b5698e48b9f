"""Fields of configs that are text take any value: it becomes text, as it does inside other text.

An expression gives whatever the data hold: 12 for an amount, true for a flag, an object. Where a field takes text and
no such value, that is written as `{{ }}` between other characters writes it. A field that is required, and turns out
empty, is an error: what is done with nothing by mistake (a message without text) helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo

from flowforge.fields import is_secret
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import to_text
from flowforge.sentences import message_of, sentence

IS_EMPTY = sentence("is empty")
LITERAL = {"literal": True}
"""Context of a validation: nothing is computed, so that a value of another type is a mistake."""

_BESIDE_TEXT = frozenset({str, NoneType, list, dict})
"""The types that a text field may take as they are. Beside others, text is an expression that gives one of these."""

Write = Callable[[Any], Any]
"""Makes text of those parts of a value that have to be text, and leaves the others."""


class TextFields(BaseModel):
    """Base of config models whose text fields take any value."""

    @model_validator(mode="before")
    @classmethod
    def _write_texts(cls, raw: Any, info: ValidationInfo) -> Any:
        if not isinstance(raw, Mapping) or info.context is LITERAL:
            return raw
        writers = _writers(cls)
        return {key: _written(writers[key], key, value) if key in writers else value for key, value in raw.items()}

    @field_validator("*")
    @classmethod
    def _require_text(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields.get(info.field_name or "")
        if field is not None and field.is_required() and isinstance(value, str) and not value.strip():
            raise ValueError(IS_EMPTY)
        return value


def spellings(name: str, field: FieldInfo) -> set[str]:
    """The keys by which the field can be given."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else (alias,)
    return {choice for choice in (name, field.alias, *choices) if isinstance(choice, str)}


@cache
def _writers(model: type[BaseModel]) -> Mapping[str, Write]:
    """What is done with the value of each field that holds text, by every spelling of its name."""
    found = {name: _writer(field.annotation, is_secret=is_secret(field)) for name, field in model.model_fields.items()}
    return {
        key: write
        for name, write in found.items()
        if write is not None
        for key in spellings(name, model.model_fields[name])
    }


def _writer(annotation: Any, *, is_secret: bool) -> Write | None:
    """None where nothing of that type is text."""
    members = _members(annotation)
    kinds = [_bare(member) for member in members]
    if str in kinds and _BESIDE_TEXT.issuperset(kinds):
        return _text_unless(tuple(kinds), is_secret=is_secret)
    inner = next((member for member in members if _bare(member) in (dict, list)), None)
    if inner is None:
        return None
    write = _writer(get_args(inner)[-1], is_secret=is_secret) if get_args(inner) else None
    if write is None:
        return None
    return _each_entry(write) if _bare(inner) is dict else _each_member(write)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types of a union, or the one there is; without what Annotated adds to them."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(inner for member in get_args(annotation) for inner in _members(member))
    return (annotation,)


def _bare(annotation: Any) -> Any:
    return get_origin(annotation) or annotation


def _text_unless(taken: tuple[type, ...], *, is_secret: bool) -> Write:
    """Write what is of none of the types that the field takes. Of a secret only numbers: it is sealed as a whole, and
    an object is likelier a mistake than a password."""

    def write(value: Any) -> Any:
        if isinstance(value, taken):
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return _as_text(value) if is_number or not is_secret else value

    return write


def _written(write: Write, key: str, value: Any) -> Any:
    try:
        return write(value)
    except Failure as error:
        raise ValueError(
            sentence("%(key)s cannot be written as text: %(error)s", key=key, error=message_of(error))
        ) from error


def _as_text(value: Any) -> str:
    meter = Meter()
    meter.begin_expression()
    return to_text(value, meter)


def _each_entry(write: Write) -> Write:
    return lambda value: {k: write(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _each_member(write: Write) -> Write:
    return lambda value: [write(member) for member in value] if isinstance(value, list) else value
