"""Confirmation by the password, which some acts take even from somebody who is signed in."""

from __future__ import annotations

from flowforge.accounts import accounts
from flowforge.errors import Forbidden
from webapp.context import session
from webapp.guarded import guess_at
from webapp.identity import Caller, current_caller


def confirm_password(password: object) -> Caller:
    """The caller, who has signed in within the last minute, or gives the password again. Commits. Raises Forbidden,
    Invalid naming `/password`, and TooManyRequests."""
    caller = require_person()
    if not caller.has_just_proven:
        with guess_at(accounts.get(session(), caller.user_id).username):
            accounts.confirm_password(session(), caller.user_id, password if isinstance(password, str) else "")
    return caller


def require_person() -> Caller:
    """The caller, who has signed in. Raises Forbidden for a personal access token: one that leaked must not outlive its
    own end by making another, by changing a password, or by making somebody an administrator."""
    caller = current_caller()
    if not caller.is_person:
        raise Forbidden("a personal access token may not do this; sign in instead")
    return caller
