"""Reading of what people fill in: typed values, or a problem for each field."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.triggers.forms.answer_types import AnswerType
from flowforge.triggers.forms.field import FormField

MOST_FILE_BYTES = 1_000_000
"""The limit on all files of one form together."""
LONGEST_FILE_NAME = 255
"""File systems take no longer names."""
LONGEST_MEDIA_TYPE = 255
"""A type and a subtype have at most 127 characters each (RFC 6838, section 4.2)."""


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    type: str
    content: bytes

    @property
    def value(self) -> JsonObject:
        encoded = base64.b64encode(self.content).decode()
        return {"name": self.name, "type": self.type, "size": len(self.content), "base64": encoded}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent: texts and files by the name of their field."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, SentFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    values: Mapping[str, Any]
    problems: Mapping[str, str]
    """Problems by the name of the field; with any, the values are of no use."""


def read_answers(fields: Sequence[FormField], sent: Sent) -> Answers:
    """Every field has a value; where nothing was filled in, null, false or an empty list."""
    values: JsonObject = {}
    problems: dict[str, str] = {}
    for question in fields:
        try:
            values[question.key] = _value(question, sent)
        except ValueError as error:
            problems[question.key] = str(error)
    return Answers(values, problems | _problems_of_files(fields, sent))


def _value(question: FormField, sent: Sent) -> Any:
    """Raises ValueError."""
    value = _file(question, sent) if question.type is AnswerType.FILE else _typed(question, sent)
    if question.required and (value is None or value is False or value == []):
        raise ValueError("must be ticked" if question.type is AnswerType.CHECK_BOX else "is required")
    return value


def _typed(question: FormField, sent: Sent) -> Any:
    form = question.type.form
    texts = [text for text in sent.texts.get(question.key, ()) if text.strip()]
    return form.read(texts, question.options) if texts else form.empty


def _file(question: FormField, sent: Sent) -> Any:
    """Raises ValueError."""
    found = sent.files.get(question.key)
    if found is None:
        return None
    if len(found.name) > LONGEST_FILE_NAME:
        raise ValueError(f"must have a name of at most {LONGEST_FILE_NAME} characters")
    if len(found.type) > LONGEST_MEDIA_TYPE:
        raise ValueError(f"must be of a type with at most {LONGEST_MEDIA_TYPE} characters")
    return found.value


def _problems_of_files(fields: Sequence[FormField], sent: Sent) -> dict[str, str]:
    names = [question.key for question in fields if question.type is AnswerType.FILE and question.key in sent.files]
    if sum(len(sent.files[name].content) for name in names) <= MOST_FILE_BYTES:
        return {}
    return dict.fromkeys(names, f"is too large: at most {MOST_FILE_BYTES // 1_000_000} MB, all files together")
