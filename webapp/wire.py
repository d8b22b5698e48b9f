"""Values on the wire: models that write what the operations return, and read what clients send."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from flowforge.errors import Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import pointer
from flowforge.sentences import sentence

FreeObject = SkipValidation[JsonObject]
"""An object of free JSON in an answer: neither looked through nor copied."""
Model = TypeVar("Model", bound=BaseModel)
Shape = type[BaseModel] | list[type[BaseModel]]
"""A model, or, as `[Model]`, a list of it."""


class Wire(BaseModel):
    """A value whose fields have camelCase names outside. It is made from the attributes of what holds them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)

    def as_json(self) -> JsonObject:
        """Returns the fields in order, under their names outside. What the value did not have is left out; nothing
        is copied: what stands inside may be large."""
        values, there = self.__dict__, self.model_fields_set
        return {
            alias: values[name]
            for name, alias, is_left_out in _written_fields(type(self))
            if name in there and not (is_left_out and is_left_out(values[name]))
        }


@cache
def _written_fields(model: type[Wire]) -> tuple[tuple[str, str, Callable[[Any], bool] | None], ...]:
    """Return for each field its name, its name on the wire, and the test by which a value of it is left out."""
    return tuple(
        (name, field.serialization_alias or field.alias or name, field.exclude_if)
        for name, field in model.model_fields.items()
    )


def left_out_when_none(description: str = "") -> Any:
    """Declares a field that an answer does not have where its value is None."""
    return Field(None, description=description or None, exclude_if=_is_none)


def to_wire(shape: Shape, value: object) -> Any:
    """The value as the models of `shape`, ready for `jsonio.dumps`."""
    return _adapter(shape if isinstance(shape, type) else shape[0], isinstance(shape, list)).validate_python(value)


def from_wire(model: type[Model], raw: object) -> Model:
    """The model that a client's JSON holds. Raises Invalid with every problem, each at its field."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Invalid([_problem(found) for found in error.errors(include_url=False, include_input=False)]) from error


@cache
def _adapter(model: type[BaseModel], many: bool) -> TypeAdapter[Any]:
    return TypeAdapter(list[model] if many else model)  # type: ignore[valid-type]


def _is_none(value: object) -> bool:
    return value is None


def _problem(found: Any) -> Problem:
    """Pydantic's complaint as ours; the refused input is left out, it may be a secret."""
    if found["type"] == "missing":
        return Problem(pointer(found["loc"]), sentence("is required"))
    message = str(found["msg"]).removeprefix("Value error, ")
    return Problem(pointer(found["loc"]), message[:1].lower() + message[1:])
