"""Confirmation by the password, which some acts take even from somebody who is signed in."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from flowforge.accounts import accounts
from webapp.context import session
from webapp.guarded import guess_at
from webapp.ui.guard import viewer_id


def confirm_password() -> None:
    """Checks the field `password` of the form. Commits. Raises Invalid naming `/password`, and TooManyRequests."""
    with guess_at(current_user.username):
        accounts.confirm_password(session(), viewer_id(), request.form.get("password", ""))
