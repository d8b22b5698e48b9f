"""The pages of forms: `/forms/{token}`. They need no script."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask import Response as Page
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from flowforge import jsonio
from flowforge.engine import answers
from flowforge.engine.intake import AcceptedCall, CallKey
from flowforge.errors import Invalid, NotFound, OverQuota, Unavailable
from flowforge.file_values import read_file
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable
from flowforge.sentences import sentence
from flowforge.triggers.forms.answers import SentFile
from flowforge.triggers.forms.view import FormView, view_fields
from flowforge.triggers.kinds.form import FORM, KIND, Config, form_view, payload_of
from webapp.content_policy import page_policy
from webapp.context import backends, session
from webapp.intake import accepted, calls, form_guards, known_tokens
from webapp.intake.form_submission import Submission, read_submission
from webapp.intake.waiting import as_response, wait_for_response
from webapp.receiving.uploads import Uploads
from webapp.services import triggers
from webapp.translation.texts import gettext, lazy

blueprint = Blueprint("forms", __name__, url_prefix="/forms/<token>")

_NO_FORM = sentence("there is no such form")
_TOO_LARGE = lazy("The files may have at most %(megabytes)s MB in total. Please choose smaller ones.")
_TOO_MANY = lazy("There were too many submissions from your network. Please wait a minute and try again.")
_FULL = lazy("This form does not accept submissions at the moment. Please keep your entries and try again later.")
_NOT_KEPT = lazy("Your entries could not be saved. Please try again in a moment.")


class Refused(Exception):
    """A submission that is not accepted: its page is shown again, with what was filled in."""

    def __init__(self, problem: str, status: int = 422, retry_after: object = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that takes submissions."""

    token: str
    """In the address that was called: the trigger's own, or a former one."""
    trigger_id: UUID
    owner: UUID
    own_token: str
    config: Config

    @property
    def is_unlocked(self) -> bool:
        return form_guards.is_unlocked(self.token, self.config.password)


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    form_guards.install(state.app)  # type: ignore[arg-type]


@blueprint.get("", strict_slashes=False)
def show(token: str) -> Response:
    """Show a form, or the page that asks for its password"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _ask_for_password(form)
    return _form_page(form, form_view(form.config), form_guards.new_stamp(token))


@blueprint.post("/unlocked")
def unlock(token: str) -> Response:
    """Take the password of a form"""
    form = _open_form(token)
    form_guards.refuse_too_many(token)
    password, path = form.config.password or "", url_for("forms.show", token=token)
    if not form_guards.password_matches(password):
        return _ask_for_password(form, gettext("The password is wrong."))
    unlocked = redirect(path, 303)
    form_guards.unlock(unlocked, token, password, path)
    return unlocked


@blueprint.post("", strict_slashes=False)
def submit(token: str) -> Response:
    """Send a form that was filled in"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _ask_for_password(form)
    submission = read_submission(token, form.config.fields)
    try:
        call = _accept(form, submission)
    except Refused as refused:
        return _show_again(form, submission, refused)
    return _answer(form, call)


@blueprint.get("/sent")
def sent(token: str) -> Response:
    """Show the message for people who have sent a form"""
    form = _open_form(token)
    return _page(form, "forms/sent.html", message=form.config.message) if form.is_unlocked else _ask_for_password(form)


@blueprint.get("/answers/<uuid:event_id>")
def later_answer(token: str, event_id: UUID) -> Response:
    """The workflow's answer; a page that looks for it again while there is none"""
    form = _open_form(token)
    if not form.is_unlocked:
        return _ask_for_password(form)
    found = answers.find_pending(backends().engine, event_id, form.trigger_id)
    if found is None:
        raise NotFound(sentence("nobody waits for the answer of such an event"))
    return as_response(found.answer, event_id) if found.answer else _page(form, "forms/waiting.html", 202)


def _open_form(token: str) -> OpenForm:
    """Raises NotFound for one that is disabled, too."""
    if known_tokens.find(FORM, token) is None:
        raise NotFound(_NO_FORM)
    trigger = triggers().at_address(session(), KIND, token)
    session().rollback()  # a caller who waits for an answer holds no connection
    if not trigger.enabled:
        raise NotFound(_NO_FORM)
    try:
        config = KIND.read(triggers().opened(trigger.configuration))
        return OpenForm(token, trigger.id, trigger.user_id, trigger.token, config)
    except Invalid as error:
        raise NotFound(_NO_FORM) from error
    except SecretUnreadable as error:
        raise Unavailable(str(error)) from error


def _accept(form: OpenForm, submission: Submission) -> AcceptedCall:
    """Check a submission, and accept it. Raises Refused, and NotFound where the form was disabled meanwhile."""
    _refuse_too_many(form.token)
    if submission.is_too_large:
        raise Refused(gettext(_TOO_LARGE, megabytes=backends().settings.file_max_bytes // 1_000_000), 413)
    if submission.is_wrong:
        raise Refused(submission.stamp_problem)
    try:
        call = _store(form, submission)
    except OverQuota as error:
        raise Refused(str(_FULL), 429, error.retry_after) from error
    except Unavailable as error:
        raise Refused(str(_NOT_KEPT), 503) from error
    calls.count(form.token, call.user_id)
    accepted.count(call)
    return call


def _refuse_too_many(token: str) -> None:
    """Raises Refused."""
    try:
        calls.refuse_too_many(token)
        form_guards.refuse_too_many(token)
    except TooManyRequests as error:
        raise Refused(str(_TOO_MANY), 429, error.retry_after) from error


def _store(form: OpenForm, submission: Submission) -> AcceptedCall:
    """Store the event of a submission; the same answers sent twice from one page make one event. Raises NotFound,
    Unavailable."""
    now, uploads = datetime.now(UTC), Uploads(lambda: form.owner)
    metadata = {"source": FORM, "receivedAt": now, "remoteAddress": request.remote_addr}
    with uploads.unless_refused():
        values = _kept(submission.answers.values, uploads)
        event = FORM, form.own_token, payload_of(values, now), metadata, _key(submission, values)
        awaiting = form.config.awaiting
        call = accepted.intake().accept(*event, awaiting=awaiting, event_id=uploads.holder)
        if call is None or call.event_id is None:
            raise NotFound(_NO_FORM)
    if call.fresh is None:
        uploads.discard()
    return call


def _kept(values: Mapping[str, Any], uploads: Uploads) -> JsonObject:
    """The values with their files kept. Raises TooLarge, OverQuota, Unavailable."""
    return {
        name: uploads.add(value.content, value.name, value.type).as_json() if isinstance(value, SentFile) else value
        for name, value in values.items()
    }


def _key(submission: Submission, values: Mapping[str, Any]) -> CallKey:
    """The key of these answers from this page; files have another id each time."""
    answers = {name: {**value, "id": None} if read_file(value) else value for name, value in values.items()}
    return CallKey(f"form {hashlib.sha256(submission.stamp.encode() + jsonio.dumps(answers)).hexdigest()}")


def _answer(form: OpenForm, call: AcceptedCall) -> Response:
    """The workflow's answer where the form waits for it; else the redirect or the message."""
    if call.wait_seconds is None or call.event_id is None:
        return redirect(form.config.redirect or url_for("forms.sent", token=form.token), 303)
    later = url_for("forms.later_answer", token=form.token, event_id=call.event_id)
    return wait_for_response(call) or redirect(later, 303)


def _show_again(form: OpenForm, submission: Submission, refused: Refused) -> Response:
    """The page with what was filled in, and what is wrong with it."""
    fields = view_fields(form.config.fields, submission.sent, submission.answers.problems)
    page = _form_page(form, replace(form_view(form.config), fields=fields), submission.stamp, refused)
    page.headers.update(refused.headers)
    return page


def _form_page(form: OpenForm, view: FormView, stamp: str, refused: Refused | None = None) -> Response:
    problem, status = (refused.problem, refused.status) if refused else ("", 200)
    return _page(form, "forms/show.html", status, view=view, stamp=stamp, problem=problem)


def _ask_for_password(form: OpenForm, problem: str = "") -> Response:
    return _page(form, "forms/locked.html", 422 if problem else 401, problem=problem)


def _page(form: OpenForm, template: str, status: int = 200, **context: Any) -> Response:
    html = render_template(template, title=form.config.title, token=form.token, **context)
    headers = {"Content-Security-Policy": page_policy(*_targets(form.config)), "Cache-Control": "no-store"}
    return Page(html, status, headers, mimetype="text/html")


def _targets(config: Config) -> list[str]:
    """List the sources that a submission may be redirected to. Browsers hold every further redirect against them, and
    where the first one leads on to (from `example.com` to `www.example.com`) is known to nobody here."""
    return ["https:", "http:"] if config.redirect or config.respond != "immediately" else []
