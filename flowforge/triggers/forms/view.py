"""A form as its page, and the preview of it, show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowforge.sentences import sentence
from flowforge.triggers.forms.answer_types import Control
from flowforge.triggers.forms.answers import Sent
from flowforge.triggers.forms.field import FormField


@dataclass(frozen=True, slots=True)
class FieldView:
    name: str
    label: str
    control: Control
    input_type: str
    autocomplete: str
    options: Sequence[str]
    is_required: bool
    help: str
    texts: Sequence[str]
    """The texts that are filled in."""
    problem: str
    is_focused: bool = False

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""

    @property
    def notes(self) -> str:
        """The ids of its help and its problem, for `aria-describedby`."""
        texts = {"help": self.help, "problem": self.problem}
        return " ".join(f"form-{self.name}-{what}" for what, text in texts.items() if text)


@dataclass(frozen=True, slots=True)
class FormView:
    title: str
    description: str
    button: str
    fields: Sequence[FieldView]

    @property
    def wrong(self) -> Sequence[FieldView]:
        return [field for field in self.fields if field.problem]


def view_fields(
    fields: Sequence[FormField], sent: Sent | None = None, problems: Mapping[str, str] | None = None
) -> list[FieldView]:
    """Build the fields to show, with the texts that were sent and their problems; with the defaults where nothing was
    sent."""
    wrong = _files_to_choose(sent) | dict(problems or {})
    first = next((question.key for question in fields if question.key in wrong), None)
    return [_view(question, sent, wrong.get(question.key, ""), question.key == first) for question in fields]


def _files_to_choose(sent: Sent | None) -> dict[str, str]:
    """Browsers fill in no file: one that was sent is missing in the page that is shown again."""
    return dict.fromkeys(sent.files, sentence("has to be chosen again")) if sent else {}


def _view(question: FormField, sent: Sent | None, problem: str, is_focused: bool) -> FieldView:
    form = question.type.form
    return FieldView(
        name=question.key,
        label=question.label,
        control=form.control,
        input_type=form.input_type,
        autocomplete=form.autocomplete,
        options=question.options,
        is_required=question.required,
        help=question.help,
        texts=question.default_texts if sent is None else sent.texts.get(question.key, ()),
        problem=problem,
        is_focused=is_focused,
    )
