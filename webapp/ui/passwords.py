"""A forgotten password: the page that asks for a mail, and the one that its link leads to."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from flowforge.accounts import mails, password_resets
from flowforge.errors import Invalid, Problem
from webapp import reset_mails
from webapp.attempts import counts_as_attempt
from webapp.context import backends, session
from webapp.ui import csrf
from webapp.ui.base import blueprint
from webapp.ui.problems import by_field


@blueprint.get("/password-resets")
def forgotten_password() -> str:
    return render_template("accounts/forgotten.html", asked=False, can_mail=mails.can_send(backends().settings))


@blueprint.post("/password-resets")
@counts_as_attempt
def ask_for_reset() -> str:
    can_mail = reset_mails.ask(request.form.get("account", ""))
    return render_template("accounts/forgotten.html", asked=True, can_mail=can_mail)


@blueprint.get("/password-resets/<token>")
def new_password(token: str) -> Any:
    if not password_resets.is_usable(session(), token):
        return _new_password_page(token, [Problem("/token", "")]), 404
    return _new_password_page(token, ())


@blueprint.post("/password-resets/<token>")
@counts_as_attempt
def set_new_password(token: str) -> Any:
    try:
        password_resets.complete(session(), token, request.form.get("new", ""))
    except Invalid as error:
        return _new_password_page(token, error.problems), 400
    csrf.renew()
    return redirect(url_for("ui.sign_in", changed="1"), 303)


def _new_password_page(token: str, problems: Any) -> str:
    wrong = by_field(problems)
    return render_template(
        "accounts/new_password.html",
        token=token,
        usable="token" not in wrong,
        problem=wrong.get("newPassword", ""),
    )
