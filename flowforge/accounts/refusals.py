"""Passwords and codes that were refused, in the audit log."""

from __future__ import annotations

from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.origin import origin_of
from flowforge.audit.recording import record
from flowforge.db.name_keys import find_account


def record_refusal(session: Session, username: str, why: str) -> None:
    """Records that somebody was refused who gave this name. Commits.

    The name is recorded only where an account has it: people type their password where the name is asked for.
    """
    session.rollback()
    is_signed_in = origin_of(session).actor_id is not None
    action = Action.PASSWORD_REFUSED if is_signed_in else Action.SIGN_IN_FAILED
    record(session, action, account=find_account(session, username), why=why)
    session.commit()
