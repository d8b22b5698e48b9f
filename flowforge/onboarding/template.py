"""Templates: workflows to begin with, each of which works as soon as its few fields are filled in."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flowforge.errors import Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.pointers import Part, parsed
from flowforge.sentences import either, sentence

Kind = Literal["text", "url", "mail", "connection"]
_LONGEST_VALUE = 2_000
_WEB = ("https://", "http://")


class TemplateField(BaseModel):
    """A value that the person fills in. `at`: pointers to the places of the workflow where it stands; what stands there
    in the file is an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    hint: str = ""
    at: tuple[str, ...] = Field(min_length=1)
    kind: Kind = "text"
    default: str = ""
    secret: bool = False

    def problem(self, value: Any) -> Problem | None:
        """What is wrong with a value that was entered."""
        message = self._complaint(value)
        return Problem(f"/{self.name}", message) if message else None

    def _complaint(self, value: Any) -> str:
        if value is None or (isinstance(value, str) and not value.strip()):
            return sentence("is required")
        if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
            return sentence("must be a text of at most %(most)s characters", most=_LONGEST_VALUE)
        if self.kind == "url" and not value.strip().startswith(_WEB):
            return sentence("must begin with %(choices)s", choices=either(_WEB))
        return sentence("must be a mail address") if self.kind == "mail" and "@" not in value else ""


class Template(BaseModel):
    """A template, as the key `template` of its file declares it; `definition` is the workflow beside that key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    text: str
    group: str
    icon: str
    keywords: tuple[str, ...] = ()
    is_first: bool = False
    """Whether it is offered to those who have no workflow yet."""
    fields: tuple[TemplateField, ...] = ()
    tables: tuple[JsonObject, ...] = ()
    """The data tables that it works with, as they are made."""
    definition: JsonObject

    @classmethod
    def read(cls, name: str, written: JsonObject) -> Self:
        """Read a file's content. Raises ValidationError, KeyError."""
        about = written["template"]
        workflow = {key: value for key, value in written.items() if key not in ("template", "key")}
        return cls.model_validate({**about, "name": name, "definition": workflow})

    @model_validator(mode="after")
    def _has_its_places(self) -> Self:
        """Raises ValueError where a field points to nothing."""
        for field in self.fields:
            for at in field.at:
                _place(self.definition, parsed(at))
        return self

    @property
    def searched(self) -> str:
        """The text that a search looks into."""
        return " ".join((self.title, self.text, self.group, *self.keywords)).lower()

    @property
    def connections(self) -> Sequence[TemplateField]:
        """The fields that name connections."""
        return [field for field in self.fields if field.kind == "connection"]

    def example(self, field: TemplateField) -> str:
        """The value that stands in the file."""
        parts = parsed(field.at[0])
        return str(_place(self.definition, parts)[parts[-1]])

    def step_types(self, field: TemplateField) -> Sequence[str]:
        """The types of the steps whose connection the field names."""
        steps = (edits.step_at(self.definition, at.removesuffix("/config/connection")) for at in field.at)
        return [str(step["type"]) for step in steps]

    def filled(self, entered: Mapping[str, Any]) -> JsonObject:
        """The workflow as it can be created. Raises Invalid naming each field that is missing or wrong."""
        values = {field: _or_default(entered.get(field.name), field.default) for field in self.fields}
        problems = [problem for field, value in values.items() if (problem := field.problem(value))]
        if problems:
            raise Invalid(problems)
        definition = copy.deepcopy(self.definition)
        for parts, value in _placed(values):
            _place(definition, parts)[parts[-1]] = value
        return definition


def _or_default(value: Any, default: str) -> Any:
    return default if value in (None, "") else value


def _placed(values: Mapping[TemplateField, str]) -> Iterator[tuple[tuple[Part, ...], str]]:
    for field, value in values.items():
        yield from ((parsed(at), value.strip()) for at in field.at)


def _place(definition: JsonObject, parts: tuple[Part, ...]) -> Any:
    """The object or list that holds what the parts lead to. Raises ValueError where nothing is there."""
    place: Any = definition
    try:
        for part in parts[:-1]:
            place = place[part]
        place[parts[-1]]
    except (LookupError, TypeError) as error:
        raise ValueError(f"there is nothing at {parts}") from error
    return place
