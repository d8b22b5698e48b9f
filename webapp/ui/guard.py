"""Access to pages: only for people who are signed in, except for the pages that sign them in."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask import session as cookie
from flask_login import current_user

from webapp.identity import lacks_second_factor

_OPEN_ENDPOINTS = frozenset(
    {
        *("ui.sign_in", "ui.submit_sign_in", "ui.sign_in_code", "ui.submit_sign_in_code"),
        *("ui.register", "ui.submit_registration", "ui.invitation", "ui.accept_invitation"),
        *("ui.forgotten_password", "ui.ask_for_reset", "ui.new_password", "ui.set_new_password"),
    }
)
_SETUP_ENDPOINTS = frozenset(
    {"ui.second_factor_settings", "ui.begin_second_factor", "ui.confirm_second_factor", "ui.sign_out"}
)
"""What is open to somebody who still has to set up a second factor."""
_HELD = "_user_id"  # where Flask-Login keeps who was signed in
_PATH_HERE = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def needs_sign_in() -> bool:
    """Whether this request has no session, and the page needs one."""
    return request.endpoint not in _OPEN_ENDPOINTS and not current_user.is_authenticated


def require_sign_in() -> Any:
    """Send visitors who are not signed in to the sign-in page, and from there back; and those who still need a second
    factor to its setup. Runs before every view."""
    if not needs_sign_in():
        return _require_second_factor()
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    ended = "1" if _HELD in cookie or request.method == "POST" else None
    return redirect(url_for("ui.sign_in", next=wanted if wanted != "/" else None, ended=ended), 303)


def _require_second_factor() -> Any:
    if request.endpoint in _OPEN_ENDPOINTS | _SETUP_ENDPOINTS or not lacks_second_factor():
        return None
    return redirect(url_for("ui.second_factor_settings"), 303)


def viewer_id() -> UUID:
    """The signed-in person; every view behind the guard has one."""
    user_id: UUID = current_user.id
    return user_id


def return_path(wanted: str) -> str:
    """`wanted` if it is a path of this site; anything else could lead people astray."""
    return wanted if _PATH_HERE.fullmatch(wanted) else url_for("ui.home")
