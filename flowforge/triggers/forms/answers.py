"""Reading of what people fill in: typed values, or a problem for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from flowforge.triggers.forms.answer_types import AnswerType
from flowforge.triggers.forms.field import FormField

LONGEST_FILE_NAME = 255
"""File systems take no longer names."""
LONGEST_MEDIA_TYPE = 255
"""A type and a subtype have at most 127 characters each (RFC 6838, section 4.2)."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form; also its value, until it is kept."""

    name: str
    type: str
    size: int
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent: texts and files by the name of their field."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, SentFile] = field(default_factory=dict)


_NOT_TICKED = sentence("must be ticked")


@dataclass(frozen=True, slots=True)
class Answers:
    values: Mapping[str, Any]
    problems: Mapping[str, str]
    """Problems by the name of the field; with any, the values are of no use."""


def read_answers(fields: Sequence[FormField], sent: Sent, most_file_bytes: int) -> Answers:
    """Every field has a value; where nothing was filled in, null, false or an empty list. `most_file_bytes`: the limit
    on all files together."""
    values: JsonObject = {}
    problems: dict[str, str] = {}
    for question in fields:
        try:
            values[question.key] = _value(question, sent)
        except ValueError as error:
            problems[question.key] = message_of(error)
    return Answers(values, problems | _problems_of_files(fields, sent, most_file_bytes))


def _value(question: FormField, sent: Sent) -> Any:
    """Raises ValueError."""
    value = _file(question, sent) if question.type is AnswerType.FILE else _typed(question, sent)
    if question.required and (value is None or value is False or value == []):
        raise ValueError(_NOT_TICKED if question.type is AnswerType.CHECK_BOX else sentence("is required"))
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
        raise ValueError(sentence("must have a name of at most %(most)s characters", most=LONGEST_FILE_NAME))
    if len(found.type) > LONGEST_MEDIA_TYPE:
        raise ValueError(sentence("must be of a type with at most %(most)s characters", most=LONGEST_MEDIA_TYPE))
    return found


def _problems_of_files(fields: Sequence[FormField], sent: Sent, most_bytes: int) -> dict[str, str]:
    names = [question.key for question in fields if question.type is AnswerType.FILE and question.key in sent.files]
    if sum(sent.files[name].size for name in names) <= most_bytes:
        return {}
    too_large = sentence("is too large: at most %(most)s MB, all files together", most=most_bytes // 1_000_000)
    return dict.fromkeys(names, too_large)
