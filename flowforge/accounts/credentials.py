"""Everything that proves an account's identity, ended at once: sessions, refresh tokens, both kinds of access token."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from flowforge.accounts import sign_ins
from flowforge.db.tables import AccessToken, User, WebSession


def end_all(session: Session, user_id: UUID) -> None:
    """Ends whatever the account is signed in with, and counts its epoch up, which ends the access tokens that are
    checked without the database. Leaves the commit to the caller, who holds the account's lock."""
    counted = {"credentials_epoch": User.credentials_epoch + 1, "updated_at": User.updated_at}
    session.execute(update(User).where(User.id == user_id).values(counted))
    session.execute(delete(WebSession).where(WebSession.user_id == user_id))
    session.execute(delete(AccessToken).where(AccessToken.user_id == user_id))
    sign_ins.end_all(session, user_id)
