"""A form as somebody has sent it. More is read than is accepted, so that a page can show again what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import after_this_request

from flowforge.triggers.forms.answers import Answers, Sent, SentFile, read_answers
from flowforge.triggers.forms.field import FormField
from webapp.context import backends
from webapp.edge import MOST_RECEIVED_BYTES
from webapp.intake import form_guards
from webapp.receiving.form_data import FormData, parse_form
from webapp.receiving.received_body import receive_body

_MOST_TEXT_BYTES = 1_000_000
_OWN_PARTS = 10
"""Parts that are not the author's fields: the stamp, the trap, and room for more."""
_FIELD = "field."
"""Begins the names of the author's own fields."""


@dataclass(frozen=True, slots=True)
class Submission:
    sent: Sent
    answers: Answers
    is_too_large: bool
    """Whether all of it has more bytes than its files and texts may have together."""
    stamp: str
    """The stamp for the page, if it is shown again."""
    stamp_problem: str
    """The reason why its stamp is refused; empty where it is accepted."""

    @property
    def is_wrong(self) -> bool:
        return bool(self.stamp_problem or self.answers.problems)


def read_submission(token: str, fields: Sequence[FormField]) -> Submission:
    """Read what was sent to a form. Raises Invalid for a body that is no form, TooLarge for one that nobody can have
    filled in."""
    settings = backends().settings
    most_bytes = settings.file_max_bytes + _MOST_TEXT_BYTES
    body = receive_body(max(MOST_RECEIVED_BYTES, most_bytes))
    most_parts = _OWN_PARTS + sum(max(1, len(field.options)) for field in fields)
    form = parse_form(body.content, MOST_RECEIVED_BYTES, most_parts)
    after_this_request(form.close_with)
    sent = _sent(form)
    problem, stamp = form_guards.check_stamp(token, form.texts)
    answers = read_answers(fields, sent, settings.file_max_bytes)
    return Submission(sent, answers, body.size > most_bytes, stamp, problem)


def _sent(form: FormData) -> Sent:
    texts = {name.removeprefix(_FIELD): values for name, values in form.texts.lists() if name.startswith(_FIELD)}
    files = {
        name.removeprefix(_FIELD): SentFile(file.filename, file.mimetype, file.stream.seek(0, 2), file.stream)
        for name, file in form.files.items()
        if name.startswith(_FIELD) and file.filename
    }
    return Sent(texts, files)
