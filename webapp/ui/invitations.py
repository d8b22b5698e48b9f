"""The page to which an invitation's link leads."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flowforge.accounts import invitations, registration
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.sentences import message_of
from webapp.attempts import counts_as_attempt
from webapp.context import backends, session
from webapp.ui.accounts import entered_account, welcome
from webapp.ui.base import blueprint
from webapp.ui.problems import by_field


@blueprint.get("/invitations/<token>")
def invitation(token: str) -> Any:
    try:
        invited = invitations.find(session(), token)
    except Invalid:
        return render_template("accounts/no_invitation.html"), 404
    return _page(token, (), {"email": invited.email or ""})


@blueprint.post("/invitations/<token>")
@counts_as_attempt
def accept_invitation(token: str) -> Any:
    try:
        user = registration.register(session(), backends().settings, entered_account(), token)
    except Invalid as error:
        if any(problem.pointer == "/invitation" for problem in error.problems):
            return render_template("accounts/no_invitation.html"), 404
        return _page(token, error.problems, request.form), 400
    except Conflict as error:
        return _page(token, [Problem("/username", message_of(error))], request.form), 409
    return welcome(user)


def _page(token: str, problems: Any, entered: Any) -> str:
    return render_template("accounts/register.html", problems=by_field(problems), entered=entered, invitation=token)
