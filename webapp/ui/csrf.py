"""Forms prove that our own page sent them: each carries the token that the session holds."""

from __future__ import annotations

import hmac
import secrets

from flask import request
from flask import session as cookie
from werkzeug.exceptions import Forbidden

from webapp.ui import guard

FIELD = "csrf_token"
_KEY = "csrf"


def token() -> str:
    """This session's token, made when first asked for."""
    if _KEY not in cookie:
        cookie[_KEY] = secrets.token_urlsafe(32)
    held: str = cookie[_KEY]
    return held


def renew() -> None:
    """Whoever signs in or out leaves the token of before behind."""
    cookie.pop(_KEY, None)


def check() -> None:
    """Before every view. Raises Forbidden for a POST without the session's token."""
    if request.method != "POST" or guard.will_turn_away():
        return
    held, sent = str(cookie.get(_KEY, "")), request.form.get(FIELD, "")
    if not held or not hmac.compare_digest(held.encode(), sent.encode()):
        raise Forbidden("this form is too old or was not ours; go back, reload the page and send it again")
