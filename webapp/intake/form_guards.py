"""Protection of forms from robots and strangers: the time the page was open, a password, a limit for each address."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Flask, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from webapp.intake.calls import Calls
from webapp.translation.texts import lazy

FASTEST_SECONDS = 2
"""No person fills in a form in less time."""
LONGEST_SECONDS = 24 * 60 * 60
"""The time for which an opened page can be submitted, and an entered password holds."""
SUBMISSIONS, PER_SECONDS = 30, 60
"""Submissions of one form that one address may send in so many seconds, wrong passwords included."""
STAMP, TRAP, PASSWORD = "opened", "website", "password"
"""The names of fields. People do not see the trap; programs that fill in every field do."""
_EXTENSION = "flowforge.form_submissions"
_TOO_FAST = lazy("That was very quick. Please check your entries and submit the form again.")
_TOO_OLD = lazy("This page was open for too long. Please submit the form again.")
_TRAPPED = lazy("A field that must stay empty was filled in. Please submit the form again.")


def install(app: Flask) -> None:
    app.extensions[_EXTENSION] = Calls(SUBMISSIONS, PER_SECONDS)


def new_stamp(token: str) -> str:
    """The moment at which a page of the form is opened, signed; never the same twice, since people open pages in the
    same second."""
    return str(_stamps().dumps([token, secrets.token_hex(8)]))


def check_stamp(token: str, texts: Mapping[str, str]) -> tuple[str, str]:
    """Check the stamp among the texts of a submission: the reason to refuse it, empty where it is accepted, and the
    stamp for the page if it is shown again."""
    if texts.get(TRAP):
        return _TRAPPED, new_stamp(token)
    stamp = texts.get(STAMP, "")
    try:
        (opened_for, _), opened_at = _stamps().loads(stamp, max_age=LONGEST_SECONDS, return_timestamp=True)
    except BadData:
        return _TOO_OLD, new_stamp(token)
    if opened_for != token:
        return _TOO_OLD, new_stamp(token)
    return _TOO_FAST if (datetime.now(UTC) - opened_at).total_seconds() < FASTEST_SECONDS else "", stamp


def is_unlocked(token: str, password: str | None) -> bool:
    """Whether the form has no password, or the caller has entered it."""
    if not password:
        return True
    try:
        unlocked_for = _keys(password).loads(request.cookies.get(PASSWORD, ""), max_age=LONGEST_SECONDS)
    except BadData:
        return False
    return bool(unlocked_for == token)


def password_matches(password: str) -> bool:
    """Whether the password sent is this one."""
    return hmac.compare_digest(password.encode(), request.form.get(PASSWORD, "").encode())


def unlock(response: Response, token: str, password: str, path: str) -> None:
    """Lets the browser that gets the response in from now on."""
    key = _keys(password).dumps(token)
    secure = request.is_secure
    response.set_cookie(PASSWORD, key, LONGEST_SECONDS, path=path, httponly=True, samesite="Lax", secure=secure)


def refuse_too_many(token: str) -> None:
    """Counts something that is sent to a form. Raises TooManyRequests."""
    submissions: Calls = current_app.extensions[_EXTENSION]
    caller = f"{token} {request.remote_addr}"
    wait = submissions.wait(caller)
    if wait > 0:
        raise TooManyRequests("too much was sent from here; please wait a moment", retry_after=max(1, round(wait)))
    submissions.count(caller)


def _stamps() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="flowforge.form")


def _keys(password: str) -> URLSafeTimedSerializer:
    """Makes the cookies of those who gave the password; they are worth nothing under another one."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"flowforge.form.password.{digest}")
