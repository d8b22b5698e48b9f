"""The pages of forms: `/forms/{token}`. They need no script."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask import Response as Page
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from flowforge import jsonio
from flowforge.engine import answers, intake
from flowforge.engine.intake import AcceptedCall
from flowforge.errors import Invalid, NotFound, Unavailable
from flowforge.secrets import SecretUnreadable
from flowforge.triggers.forms.answers import MOST_FILE_BYTES, Answers, Sent, SentFile, read_answers
from flowforge.triggers.forms.view import FormView, view_fields
from flowforge.triggers.kinds.form import FORM, KIND, Config, form_view, payload_of
from flowforge.triggers.registrations import configuration_of
from webapp.context import backends, session
from webapp.edge import page_policy
from webapp.intake import calls, form_guards
from webapp.intake.accepted import announce
from webapp.intake.body import read_bytes
from webapp.intake.waiting import as_response, wait_for_answer
from webapp.services import triggers

blueprint = Blueprint("forms", __name__, url_prefix="/forms/<token>")

MOST_BYTES = MOST_FILE_BYTES + 1_000_000
"""The limit on a whole submission: the files, and the texts."""
_FIELD = "field."
"""Begins the names of the author's own fields."""
_NO_FORM = "there is no such form"


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that takes submissions."""

    token: str
    config: Config

    @property
    def is_unlocked(self) -> bool:
        return form_guards.is_unlocked(self.token, self.config.password)


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    form_guards.install(state.app)  # type: ignore[arg-type]


@blueprint.get("")
def show(token: str) -> Response:
    """Show a form, or the page that asks for its password"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _locked(form)
    return _form_page(form, form_view(form.config), form_guards.new_stamp(token))


@blueprint.post("/unlocked")
def unlock(token: str) -> Response:
    """Take the password of a form"""
    form = _open_form(token)
    form_guards.refuse_too_many(token)
    password, path = form.config.password or "", url_for("forms.show", token=token)
    if not form_guards.password_matches(password):
        return _locked(form, "This is not the password.")
    unlocked = redirect(path, 303)
    form_guards.unlock(unlocked, token, password, path)
    return unlocked


@blueprint.post("")
def submit(token: str) -> Response:
    """Send a form that was filled in"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _locked(form)
    calls.refuse_too_many(token)
    form_guards.refuse_too_many(token)
    sent = _sent()
    read = read_answers(form.config.fields, sent)
    problem, stamp = form_guards.check_stamp(token)
    if problem or read.problems:
        return _form_page(form, _refilled(form, sent, read), stamp, problem, 422)
    return _answer(form, _accept(form, read, stamp))


@blueprint.get("/sent")
def sent(token: str) -> Response:
    """Show the message for people who have sent a form"""
    form = _open_form(token)
    return _page(form, "forms/sent.html", message=form.config.message) if form.is_unlocked else _locked(form)


@blueprint.get("/answers/<uuid:event_id>")
def later_answer(token: str, event_id: UUID) -> Response:
    """The workflow's answer; a page that looks for it again while there is none"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _locked(form)
    found = answers.find_pending(backends().engine, event_id)
    if found is None:
        raise NotFound("nobody waits for the answer of such an event")
    return as_response(found.answer) if found.answer else _page(form, "forms/waiting.html", 202)


def _open_form(token: str) -> OpenForm:
    """Raises NotFound for one that is disabled, too."""
    if "\x00" in token:
        raise NotFound(_NO_FORM)
    row = triggers().at_address(session(), KIND, token)
    enabled, configuration = row.enabled, configuration_of(row)
    session().rollback()  # a caller who waits for an answer holds no connection
    if not enabled:
        raise NotFound(_NO_FORM)
    try:
        return OpenForm(token, KIND.read(triggers().opened(configuration)))
    except Invalid as error:
        raise NotFound(_NO_FORM) from error
    except SecretUnreadable as error:
        raise Unavailable(str(error)) from error


def _sent() -> Sent:
    """Raises TooLarge."""
    request.max_form_memory_size = MOST_BYTES
    read_bytes(MOST_BYTES)
    texts = {name.removeprefix(_FIELD): values for name, values in request.form.lists() if name.startswith(_FIELD)}
    files = {
        name.removeprefix(_FIELD): SentFile(file.filename, file.mimetype, file.read())
        for name, file in request.files.items()
        if name.startswith(_FIELD) and file.filename
    }
    return Sent(texts, files)


def _accept(form: OpenForm, read: Answers, stamp: str) -> AcceptedCall:
    """Accept a submission; the same answers sent twice from one page make one event. Raises NotFound where the form was
    disabled meanwhile."""
    now = datetime.now(UTC)
    payload = payload_of(read.values, now)
    metadata = {"source": FORM, "receivedAt": now, "remoteAddress": request.remote_addr}
    once = hashlib.sha256(stamp.encode() + jsonio.dumps(payload["fields"])).hexdigest()
    call = intake.accept_call(backends().engine, FORM, form.token, payload, metadata, f"form {once}")
    if call is None or call.event_id is None:
        raise NotFound(_NO_FORM)
    calls.count(form.token)
    announce(call)
    return call


def _answer(form: OpenForm, call: AcceptedCall) -> Response:
    """The workflow's answer where the form waits for it; else the redirect or the message."""
    if call.wait_seconds is None or call.event_id is None:
        return redirect(form.config.redirect or url_for("forms.sent", token=form.token), 303)
    found = wait_for_answer(call.event_id, call.wait_seconds)
    if found is not None:
        return as_response(found)
    return redirect(url_for("forms.later_answer", token=form.token, event_id=call.event_id), 303)


def _refilled(form: OpenForm, sent: Sent, read: Answers) -> FormView:
    """The form with what was filled in, and what is wrong with it."""
    return replace(form_view(form.config), fields=view_fields(form.config.fields, sent, read.problems))


def _form_page(form: OpenForm, view: FormView, stamp: str, problem: str = "", status: int = 200) -> Response:
    return _page(form, "forms/show.html", status, view=view, stamp=stamp, problem=problem)


def _locked(form: OpenForm, problem: str = "") -> Response:
    return _page(form, "forms/locked.html", 422 if problem else 401, problem=problem)


def _page(form: OpenForm, template: str, status: int = 200, **context: Any) -> Response:
    html = render_template(template, title=form.config.title, token=form.token, **context)
    headers = {"Content-Security-Policy": page_policy(*_targets(form.config)), "Cache-Control": "no-store"}
    return Page(html, status, headers, mimetype="text/html")


def _targets(config: Config) -> list[str]:
    """List the sources that a submission may be redirected to. Browsers hold every further redirect against them, and
    where the first one leads on to (from `example.com` to `www.example.com`) is known to nobody here."""
    return ["https:", "http:"] if config.redirect or config.respond != "immediately" else []
