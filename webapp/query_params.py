"""Query parameters: a model declares those of an endpoint, each with its type, its default and what it means.

What is given and cannot be read is refused with Invalid, which names the parameter. Of a repeated one the first counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_origin
from uuid import UUID

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from webapp.wire import from_wire

Choice = TypeVar("Choice", bound=StrEnum)
Params = TypeVar("Params", bound="Query")


class Query(BaseModel):
    """The parameters of an endpoint, camelCase outside. A number, id or time without a value counts as not given; a
    switch without one is refused, so that `?dryRun` never starts anything."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


def read_query(model: type[Params]) -> Params:
    """The parameters of this request. Raises Invalid."""
    return from_wire(model, dict(_sent_values(model)))


def _sent_values(model: type[Query]) -> Iterator[tuple[str, str | list[str]]]:
    for field in model.model_fields.values():
        name = field.alias or ""
        values = request.args.getlist(name)
        if values and _takes_many(field):
            yield name, values
        elif values and (values[0] or field.annotation in (bool, str)):
            yield name, values[0]


def _takes_many(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def parameter_schemas(model: type[Query]) -> dict[str, JsonObject]:
    """Name -> JSON schema of each parameter; `description` stands in it."""
    properties: dict[str, JsonObject] = model.model_json_schema()["properties"]
    return {name: _without_noise(schema) for name, schema in properties.items()}


def required_parameters(model: type[Query]) -> frozenset[str]:
    """Names of those that have to be given."""
    return frozenset(field.alias or name for name, field in model.model_fields.items() if field.is_required())


def _without_noise(schema: JsonObject) -> JsonObject:
    return {key: value for key, value in schema.items() if key != "title" and (key != "default" or not _empty(value))}


def _empty(default: object) -> bool:
    return default is None or default is False or default in ("", [])


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number of at least `least`; what is above `most` becomes `most`.

    `lenient`: what is too small becomes `least`, and what is no number the default. `shows_most`: in the description.
    """

    least: int
    most: int
    default: int
    lenient: bool = False
    shows_most: bool = False

    def read(self, raw: Any) -> int:
        """Raises ValueError."""
        value = self._number(raw)
        if value < self.least and not self.lenient:
            raise ValueError(f"must be at least {self.least}")
        return max(self.least, min(value, self.most))

    def _number(self, raw: Any) -> int:
        try:
            return int(raw)
        except ValueError:
            if self.lenient:
                return self.default
            raise ValueError("must be a whole number") from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        most = {"maximum": self.most} if self.shows_most else {}
        return {"type": "integer", "minimum": self.least, **most, "default": self.default}


@dataclass(frozen=True, slots=True)
class NumberFromTo:
    """A whole number from `least` to `most`; anything else is refused."""

    least: int
    most: int

    def read(self, raw: Any) -> int:
        """Raises ValueError."""
        if not str(raw).isdecimal() or not self.least <= int(raw) <= self.most:
            raise ValueError(f"must be a whole number from {self.least} to {self.most}")
        return int(raw)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


def _flag(raw: Any) -> Any:
    text = str(raw).lower()
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _uuid(raw: Any) -> UUID:
    try:
        return UUID(raw)
    except ValueError:
        raise ValueError("is not a UUID") from None


def _instant(raw: Any) -> datetime:
    try:
        return jsonio.parse_time(raw)
    except ValueError:
        raise ValueError("is not an ISO-8601 time") from None


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values of an enumeration, in upper or lower case."""

    choices: type[StrEnum]

    def read(self, raw: Any) -> StrEnum:
        """Raises ValueError."""
        try:
            return next(choice for choice in self.choices if choice.upper() == str(raw).upper())
        except StopIteration:
            raise ValueError(f"must be one of {', '.join(self.choices)}") from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return {"enum": [choice.value for choice in self.choices]}


Flag = Annotated[bool, BeforeValidator(_flag)]
FlagOrNone = Annotated[bool | None, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
UuidOrNone = Annotated[UUID | None, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
InstantOrNone = Annotated[
    datetime | None, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
TextOrNone = Annotated[str | None, WithJsonSchema({"type": "string"})]
