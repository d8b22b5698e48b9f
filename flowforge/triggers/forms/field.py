"""A field of a form, as its author writes it."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from flowforge.sentences import sentence
from flowforge.triggers.forms.answer_types import AnswerType
from flowforge.triggers.kind import TriggerConfig

LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _identifier(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            sentence("must be letters, digits and _, not start with a digit, and have at most 64 characters")
        )
    return name


def _each_once(options: list[str]) -> list[str]:
    if len(set(options)) < len(options):
        raise ValueError(sentence("has an option twice"))
    return options


def _single_spaced(option: str) -> str:
    """The option as browsers send it. Raises ValueError."""
    words = " ".join(option.split())
    if not words:
        raise ValueError(sentence("must not be blank"))
    return words


def _visible(text: str) -> str:
    """Raises ValueError for a text of spaces and invisible characters only."""
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise ValueError(sentence("must not be blank"))
    return text


VisibleText = Annotated[str, AfterValidator(_visible)]
Option = Annotated[str, Field(max_length=200), AfterValidator(_single_spaced)]


class FormField(TriggerConfig):
    model_config = ConfigDict(title="Field")

    label: VisibleText = Field(title="Label", description="The question.", max_length=200)
    type: AnswerType = Field(AnswerType.TEXT, title="Type", description="Type of the answer.")
    options: Annotated[list[Option], Field(max_length=200), AfterValidator(_each_once)] = Field(
        [], title="Choices", description="Of a choice, or several.", validate_default=True
    )
    required: bool = Field(False, title="Required", description="A check box that is required must be ticked.")
    help: str = Field("", title="Help", description="Shown below the field.", max_length=1_000)
    default: str | int | float | bool | None = Field(
        None, title="Default", description="Initial value; several choices separated by commas."
    )
    name: Annotated[str, AfterValidator(_identifier)] | None = Field(
        None,
        title="Name",
        description="Name in expressions: trigger.fields.<name>. Empty: derived from the label.",
        validate_default=True,
    )

    @field_validator("options")
    @classmethod
    def _enough_to_choose_from(cls, options: list[str], others: ValidationInfo) -> list[str]:
        type_ = others.data.get("type")
        if type_ is not None and type_.has_options and not options:
            raise ValueError(sentence("needs something to choose from"))
        return options

    @field_validator("default")
    @classmethod
    def _fitting(cls, default: Any, others: ValidationInfo) -> Any:
        type_ = others.data.get("type")
        if default is None or type_ is None:
            return default
        if type_ is AnswerType.FILE:
            raise ValueError(sentence("cannot be given for a file"))
        type_.form.read(_texts(type_, default), others.data.get("options", ()))
        return default

    @field_validator("name")
    @classmethod
    def _callable(cls, name: str | None, others: ValidationInfo) -> str | None:
        if name is None and "label" in others.data and not name_from(others.data["label"]):
            raise ValueError(sentence("is required: the label has no letters to make a name of"))
        return name

    @property
    def key(self) -> str:
        """The name of its answer in the payload."""
        return self.name or name_from(self.label)

    @property
    def default_texts(self) -> list[str]:
        """The texts that are filled in at first, as a browser would send them."""
        return [] if self.default is None else _texts(self.type, self.default)

    @property
    def sample(self) -> Any:
        match self.type:
            case AnswerType.CHOICE:
                return self.options[0]
            case AnswerType.SEVERAL_CHOICES:
                return self.options[:2]
        return self.type.form.sample


def name_from(label: str) -> str:
    """`Your e-mail` as `your_e_mail`; empty where the label has no letters that a name may have."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[: LONGEST_NAME - 1].strip("_")
    return f"_{words}" if words[:1].isdigit() else words


def _texts(type_: AnswerType, default: str | float) -> list[str]:
    text = str(default).lower() if isinstance(default, bool) else str(default)
    if type_ is AnswerType.SEVERAL_CHOICES:
        return [part.strip() for part in text.split(",") if part.strip()]
    return [text]
