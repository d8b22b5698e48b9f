"""Settings: profile and time zone, password, access tokens, where one is signed in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user, login_user

from flowforge.accounts import access_tokens, accounts, credentials, profile, web_sessions
from flowforge.accounts.access_tokens import USUAL_LIFE_DAYS, Grant
from flowforge.accounts.profile import ProfileChange
from flowforge.accounts.scopes import USUAL, Scope
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.sentences import message_of
from webapp.attempts import counts_as_attempt
from webapp.context import session
from webapp.guarded import guess_at
from webapp.translation import language
from webapp.translation.texts import gettext, lazy
from webapp.ui.accounts import sign_in_here
from webapp.ui.base import blueprint
from webapp.ui.confirmation import confirm_password
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

LIVES = {"30": lazy("30 days"), "90": lazy("90 days"), "365": lazy("1 year")}
SCOPES = {
    Scope.READ: lazy("View workflows, executions and logs"),
    Scope.RUN: lazy("Run, cancel and replay executions, test steps"),
    Scope.WRITE: lazy("Change workflows, triggers, connections and secrets"),
    Scope.ADMIN: lazy("Manage the account, its tokens and sessions; as an administrator, other accounts"),
}


@blueprint.get("/settings")
def settings() -> str:
    return _profile_page()


@blueprint.post("/settings")
@counts_as_attempt
def save_profile() -> Any:
    email = request.form.get("email")
    try:
        if profile.changes_email(session(), viewer_id(), email):
            confirm_password()
        changed = profile.update(session(), viewer_id(), _entered_profile())
    except Invalid as error:
        session().rollback()
        return _profile_page(error.problems), 400
    language.choose(changed.language)
    flash(gettext("Saved."), "done")
    return language.kept(redirect(url_for("ui.settings"), 303), changed.language)


def _entered_profile() -> ProfileChange:
    form = request.form
    return ProfileChange(form.get("email"), form.get("time_zone"), form.get("language"))


@blueprint.get("/settings/password")
def password_settings() -> str:
    return render_template("settings/password.html", problems={})


@blueprint.post("/settings/password")
@counts_as_attempt
def change_password() -> Any:
    current, new = request.form.get("current", ""), request.form.get("new", "")
    try:
        with guess_at(current_user.username):
            user = accounts.change_password(session(), viewer_id(), current, new, keep_tokens=_keeps_tokens())
    except Invalid as error:
        return render_template("settings/password.html", problems=by_field(error.problems)), 400
    sign_in_here(user)
    changed = gettext("Password changed.")
    flash(f"{changed} {_describe_ended()}", "done")
    return redirect(url_for("ui.password_settings"), 303)


@blueprint.get("/settings/tokens")
def token_settings() -> str:
    return _token_page()


@blueprint.post("/settings/tokens")
@counts_as_attempt
def create_token() -> Any:
    """The answer itself shows the token: nothing could show it after a redirect."""
    try:
        confirm_password()
        made = access_tokens.create(session(), viewer_id(), current_user.epoch, _entered_grant())
    except Invalid as error:
        return _token_page(error.problems), 400
    except Conflict as error:
        return _token_page([Problem("/name", message_of(error))]), 409
    return _token_page(token=made.token)


def _entered_grant() -> Grant:
    days = request.form.get("days", "")
    scopes = frozenset(scope for scope in Scope if scope in request.form.getlist("scopes"))
    return Grant(request.form.get("name", ""), scopes, int(days) if days in LIVES else USUAL_LIFE_DAYS)


@blueprint.post("/settings/tokens/<uuid:token_id>/revoke")
def revoke_token(token_id: UUID) -> Any:
    access_tokens.revoke(session(), viewer_id(), token_id)
    flash(gettext("Token revoked."), "done")
    return redirect(url_for("ui.token_settings"), 303)


@blueprint.get("/settings/sessions")
def session_settings() -> str:
    return render_template(
        "settings/sessions.html", sessions=web_sessions.all_of(session(), viewer_id()), here=current_user.session_id
    )


@blueprint.post("/settings/sessions/<uuid:session_id>/end")
def end_session(session_id: UUID) -> Any:
    web_sessions.end(session(), viewer_id(), session_id)
    flash(gettext("Session signed out."), "done")
    return redirect(url_for("ui.session_settings"), 303)


@blueprint.post("/settings/sessions/end-others")
def end_other_sessions() -> Any:
    here = current_user.session_id
    epoch = credentials.end_all(session(), viewer_id(), keep_tokens=_keeps_tokens(), keep_browser=here)
    session().commit()
    login_user(replace(current_user._get_current_object(), epoch=epoch))
    flash(_describe_ended(), "done")
    return redirect(url_for("ui.session_settings"), 303)


def _keeps_tokens() -> bool:
    return "keep_tokens" in request.form


def _describe_ended() -> str:
    if _keeps_tokens():
        return gettext("Every other browser and client is signed out. Access tokens remain valid.")
    return gettext("Every other browser and client is signed out. Access tokens were revoked.")


def _profile_page(problems: Any = ()) -> str:
    return render_template(
        "settings/profile.html",
        user=accounts.get(session(), viewer_id()),
        entered=request.form,
        problems=by_field(problems),
        zones=profile.time_zones(),
        languages=language.names(),
    )


def _token_page(problems: Any = (), token: str = "") -> str:
    return render_template(
        "settings/tokens.html",
        tokens=access_tokens.all_of(session(), viewer_id()),
        token=token,
        lives=LIVES,
        scopes=SCOPES,
        chosen=request.form.getlist("scopes") if problems else USUAL,
        entered=request.form if problems else {},
        problems=by_field(problems),
    )
