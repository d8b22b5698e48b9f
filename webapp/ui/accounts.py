"""Register, sign in, sign out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask_login import current_user, login_user, logout_user
from werkzeug.exceptions import TooManyRequests

from flowforge.accounts import accounts, registration, web_sessions
from flowforge.accounts.registration import NewAccount
from flowforge.accounts.second_factor import CodeNeeded, SecondStep, WrongCode
from flowforge.accounts.views import AccountView
from flowforge.errors import Conflict, Forbidden, Invalid, Problem, Unauthorized
from flowforge.sentences import message_of, sentence
from webapp.attempts import counts_as_attempt
from webapp.context import backends, session
from webapp.guarded import browser_id, guess_at, make_familiar
from webapp.identity import DashboardUser
from webapp.translation.texts import gettext, said, said_by
from webapp.ui import csrf
from webapp.ui.base import blueprint
from webapp.ui.guard import return_path, viewer_id
from webapp.ui.problems import by_field

_PENDING = "second_step"
_CODE_WITHIN_SECONDS = 300


@blueprint.get("/sign-in")
def sign_in() -> Any:
    """The first visitor of an empty instance has no account to sign in with, and makes the owner's."""
    if current_user.is_authenticated:
        return _home()
    is_empty = not accounts.has_owner(session()) and registration.is_open(session(), backends().settings)
    return redirect(url_for("ui.register"), 303) if is_empty else _sign_in_page()


@blueprint.post("/sign-in")
@counts_as_attempt
def submit_sign_in() -> Any:
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        with guess_at(username, browser_id()):
            user = accounts.authenticate(session(), username, password)
    except CodeNeeded as error:
        return _ask_for_code(error.account)
    except Unauthorized as error:
        return _sign_in_page(said_by(error)), 401
    except Forbidden as error:
        return _sign_in_page(said_by(error)), 403
    except TooManyRequests as error:
        return _sign_in_page(said(error.description or "")), 429, {"Retry-After": str(error.retry_after)}
    return welcome(user)


@blueprint.get("/sign-in/code")
def sign_in_code() -> Any:
    return _code_page() if _pending() else redirect(url_for("ui.sign_in"), 303)


@blueprint.post("/sign-in/code")
@counts_as_attempt
def submit_sign_in_code() -> Any:
    pending = _pending()
    if pending is None:
        return redirect(url_for("ui.sign_in", ended="1"), 303)
    step = SecondStep(backends().vault, request.form.get("code", ""))
    try:
        with guess_at(pending.username, browser_id()):
            user = accounts.take_second_step(session(), pending.user_id, pending.epoch, step)
    except (WrongCode, CodeNeeded):
        return _code_page(gettext("The code is wrong, has expired, or was used before")), 401
    except TooManyRequests as error:
        return _code_page(said(error.description or "")), 429, {"Retry-After": str(error.retry_after)}
    cookie.pop(_PENDING, None)
    return _enter(user)


@blueprint.get("/register")
def register() -> Any:
    _require_open_registration()
    return _home() if current_user.is_authenticated else _registration_page(())


@blueprint.post("/register")
@counts_as_attempt
def submit_registration() -> Any:
    try:
        user = registration.register(session(), backends().settings, entered_account())
    except Invalid as error:
        return _registration_page(error.problems), 400
    except Conflict as error:
        return _registration_page([Problem("/username", message_of(error))]), 409
    return welcome(user)


@blueprint.post("/sign-out")
def sign_out() -> Any:
    if current_user.is_authenticated:
        web_sessions.end(session(), viewer_id(), current_user.session_id)
    logout_user()
    cookie.clear()
    return redirect(url_for("ui.sign_in"), 303)


@dataclass(frozen=True, slots=True)
class _PendingSignIn:
    """A sign-in whose password was right, and whose code is still to come. Kept in the signed cookie."""

    user_id: UUID
    epoch: int
    username: str


def welcome(user: AccountView) -> Any:
    """Let somebody in who has proven the password or holds a link, after the second factor if there is one."""
    return _ask_for_code(user) if user.has_second_factor else _enter(user)


def _enter(user: AccountView) -> Any:
    csrf.renew()
    make_familiar(user.username, browser_id())
    sign_in_here(user)
    return redirect(return_path(request.form.get("next", "")), 303)


def _ask_for_code(user: AccountView) -> Any:
    until = time.time() + _CODE_WITHIN_SECONDS
    cookie[_PENDING] = [str(user.id), user.credentials_epoch, user.username, until]
    return redirect(url_for("ui.sign_in_code", next=request.form.get("next") or None), 303)


def _pending() -> _PendingSignIn | None:
    user_id, epoch, username, until = cookie.get(_PENDING) or ("", 0, "", 0)
    return _PendingSignIn(UUID(user_id), epoch, username) if until > time.time() else None


def _code_page(message: str = "") -> str:
    return render_template("accounts/code.html", message=message, next=request.values.get("next", ""))


def sign_in_here(user: AccountView) -> None:
    """Sign the user in on this browser."""
    lifetime = backends().settings.refresh_token_lifetime
    agent, address = request.headers.get("User-Agent", ""), request.remote_addr or ""
    login_user(DashboardUser.of(user, web_sessions.begin(session(), user.id, agent, address, lifetime)))


def _home() -> Any:
    return redirect(url_for("ui.home"), 303)


def _sign_in_page(message: str = "") -> str:
    return render_template(
        "accounts/sign_in.html",
        message=message,
        username=request.form.get("username", ""),
        next=request.values.get("next", ""),
        ended="ended" in request.args,
        changed="changed" in request.args,
        registration_open=registration.is_open(session(), backends().settings),
    )


def _registration_page(problems: Any) -> str:
    return render_template(
        "accounts/register.html",
        problems=by_field(problems),
        entered=request.form,
        is_first=not accounts.has_owner(session()),
    )


def _require_open_registration() -> None:
    if not registration.is_open(session(), backends().settings):
        raise Forbidden(sentence("registration is closed on this server"))


def entered_account() -> NewAccount:
    return NewAccount(*(request.form.get(name, "") for name in ("username", "email", "password")))
