"""A form as somebody has sent it. More is read than is accepted, so that a page can show again what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowforge.triggers.forms.answers import MOST_FILE_BYTES, Answers, Sent, SentFile, read_answers
from flowforge.triggers.forms.field import FormField
from webapp.edge import MOST_RECEIVED_BYTES
from webapp.intake import form_guards
from webapp.intake.body import read_bytes
from webapp.intake.form_data import FormData, parse_form

MOST_BYTES = MOST_FILE_BYTES + 1_000_000
"""The limit on a whole submission that is taken: the files, and the texts."""
_OWN_PARTS = 10
"""Parts that are not the author's fields: the stamp, the trap, and room for more."""
_FIELD = "field."
"""Begins the names of the author's own fields."""


@dataclass(frozen=True, slots=True)
class Submission:
    sent: Sent
    answers: Answers
    size: int
    """Bytes of the whole body."""
    stamp: str
    """The stamp for the page, if it is shown again."""
    stamp_problem: str
    """The reason why its stamp is refused; empty where it is accepted."""

    @property
    def is_too_large(self) -> bool:
        return self.size > MOST_BYTES

    @property
    def is_wrong(self) -> bool:
        return bool(self.stamp_problem or self.answers.problems)


def read_submission(token: str, fields: Sequence[FormField]) -> Submission:
    """Read what was sent to a form. Raises Invalid for a body that is no form, TooLarge for one that nobody can have
    filled in."""
    body = read_bytes(MOST_RECEIVED_BYTES)
    form = parse_form(body, _OWN_PARTS + sum(max(1, len(field.options)) for field in fields))
    sent = _sent(form)
    problem, stamp = form_guards.check_stamp(token, form.texts)
    return Submission(sent, read_answers(fields, sent), len(body), stamp, problem)


def _sent(form: FormData) -> Sent:
    texts = {name.removeprefix(_FIELD): values for name, values in form.texts.lists() if _is_field(name)}
    files = {
        name.removeprefix(_FIELD): SentFile(file.filename, file.mimetype, file.read())
        for name, file in form.files.items()
        if _is_field(name) and file.filename
    }
    return Sent(texts, files)


def _is_field(name: str | None) -> bool:
    """Whether the part is one of the author's fields; a part of a multipart body may have no name at all."""
    return name is not None and name.startswith(_FIELD)
