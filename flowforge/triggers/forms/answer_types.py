"""The types of a form's fields: the control that each is filled in with, and the value that an answer becomes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from flowforge.file_values import InlineFile
from flowforge.sentences import Count, sentence

LONGEST_LINE, LONGEST_TEXT = 1_000, 20_000
LONGEST_ADDRESS = 254  # RFC 5321, section 4.5.3.1.3
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@" + rf"{_LABEL}(?:\.{_LABEL})*")
"""The addresses that browsers take (HTML, 4.10.5.1.5, "valid e-mail address")."""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,18}")

Control = Literal["line", "text", "choice", "boxes", "box", "file"]
Read = Callable[[Sequence[str], Sequence[str]], Any]
"""Converts the texts that were sent to a value, with the options of the field. Raises ValueError with what is wrong."""


class AnswerType(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long text"
    NUMBER = "number"
    CHOICE = "choice"
    SEVERAL_CHOICES = "several choices"
    DATE = "date"
    EMAIL = "e-mail"
    CHECK_BOX = "check box"
    FILE = "file"

    @property
    def form(self) -> AnswerForm:
        return _FORMS[self]

    @property
    def has_options(self) -> bool:
        return self in (AnswerType.CHOICE, AnswerType.SEVERAL_CHOICES)


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """Control and reader for answers of one type."""

    control: Control
    read: Read
    sample: Any
    input_type: str = "text"
    """The `type` of the input element, for a control that is a line of text."""
    autocomplete: str = "off"
    empty: Any = None
    """The value where nothing was filled in."""


def _text(longest: int) -> Read:
    def read(texts: Sequence[str], options: Sequence[str]) -> str:
        del options
        text = texts[0].replace("\r\n", "\n").strip()
        if len(text) > longest:
            raise ValueError(sentence("must have at most %(most)s characters", most=Count(longest)))
        if "\x00" in text:
            raise ValueError(sentence("holds a character that cannot be kept"))
        return text

    return read


def _number(texts: Sequence[str], options: Sequence[str]) -> int | float:
    del options
    text = texts[0].strip()
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(sentence("must be a number"))
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _choice(texts: Sequence[str], options: Sequence[str]) -> str:
    if texts[0] not in options:
        raise ValueError(sentence("must be one of the choices"))
    return texts[0]


def _choices(texts: Sequence[str], options: Sequence[str]) -> list[str]:
    """Read the choices, each once and in the order of the options."""
    if not set(texts) <= set(options):
        raise ValueError(sentence("must be among the choices"))
    return [option for option in options if option in texts]


def _date(texts: Sequence[str], options: Sequence[str]) -> str:
    del options
    try:
        return date.fromisoformat(texts[0].strip()).isoformat()
    except ValueError:
        raise ValueError(sentence("must be a date, such as 2026-03-31")) from None


def _email(texts: Sequence[str], options: Sequence[str]) -> str:
    del options
    address = texts[0].strip()
    if len(address) > LONGEST_ADDRESS or not _EMAIL.fullmatch(address):
        raise ValueError(sentence("must be an e-mail address, such as ada@example.com"))
    return address


def _check(texts: Sequence[str], options: Sequence[str]) -> bool:
    del options
    return texts[0].strip().lower() not in ("", "false", "no", "0")


_SAMPLE_FILE = InlineFile("photo.png", "image/png", b"\x89PNG").as_json()
_FORMS: Mapping[AnswerType, AnswerForm] = {
    AnswerType.TEXT: AnswerForm("line", _text(LONGEST_LINE), "Some text"),
    AnswerType.LONG_TEXT: AnswerForm("text", _text(LONGEST_TEXT), "Some text,\nseveral lines of it"),
    AnswerType.NUMBER: AnswerForm("line", _number, 42, input_type="number"),
    AnswerType.CHOICE: AnswerForm("choice", _choice, ""),
    AnswerType.SEVERAL_CHOICES: AnswerForm("boxes", _choices, [], empty=[]),
    AnswerType.DATE: AnswerForm("line", _date, "2026-03-31", input_type="date"),
    AnswerType.EMAIL: AnswerForm("line", _email, "ada@example.com", input_type="email", autocomplete="email"),
    AnswerType.CHECK_BOX: AnswerForm("box", _check, sample=True, empty=False),
    AnswerType.FILE: AnswerForm("file", _text(LONGEST_LINE), _SAMPLE_FILE),
}
