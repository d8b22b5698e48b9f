"""The end of all that proves an identity: access and refresh tokens, sessions, personal tokens, open live streams, and
links for a new password."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from flowforge.accounts import sign_ins
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.credential_epochs import tell_of_change
from flowforge.db.tables import AccessToken, PasswordReset, User, WebSession


def end_all(session: Session, user_id: UUID, *, keep_tokens: bool = False, keep_browser: UUID | None = None) -> int:
    """Ends all credentials of the account, but for its personal tokens or the session of one browser, where that is
    said; returns the new epoch. Leaves the commit to the caller.

    From the commit on, nothing can be refreshed, and no session or personal token is found. Access tokens and live
    streams end when the processes hear of the new epoch: at once, at the latest after STALE_SECONDS
    (flowforge.db.credential_epochs).
    """
    epoch = _begin_epoch(session, user_id)
    sign_ins.end_all(session, user_id)
    _end_browsers(session, user_id, keep_browser)
    end_reset_links(session, user_id)
    if not keep_tokens:
        session.execute(delete(AccessToken).where(AccessToken.user_id == user_id))
    record(session, Action.SIGNED_OUT_EVERYWHERE, account=user_id, tokens_kept=keep_tokens)
    tell_of_change(session, user_id)
    return epoch


def end_reset_links(session: Session, user_id: UUID) -> None:
    """Ends the links for a new password that somebody may still hold. Leaves the commit to the caller."""
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


def _begin_epoch(session: Session, user_id: UUID) -> int:
    """Locks the account: whoever is just signing in does so before or after."""
    counted = {"credentials_epoch": User.credentials_epoch + 1, "updated_at": User.updated_at}
    later = update(User).where(User.id == user_id).values(counted)
    return session.scalar(later.returning(User.credentials_epoch)) or 0


def _end_browsers(session: Session, user_id: UUID, keep: UUID | None) -> None:
    browsers = delete(WebSession).where(WebSession.user_id == user_id)
    session.execute(browsers.where(WebSession.id != keep) if keep else browsers)
