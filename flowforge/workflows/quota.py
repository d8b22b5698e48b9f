"""The number of workflows that an account may have."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge.db.tables import QuotaRow, User, Workflow
from flowforge.errors import Forbidden
from flowforge.sentences import sentence
from flowforge.settings import Settings


def require_room(session: Session, settings: Settings, user_id: UUID, more: int = 0) -> None:
    """Raises Forbidden where the account's workflows, and so many more, are above its quota. Where it has one, whoever
    else makes some waits until this transaction ends: made side by side, all would find room."""
    own = session.scalar(select(QuotaRow.workflows).where(QuotaRow.user_id == user_id))
    most = settings.quota_workflows if own is None else own
    if not most:
        return
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    if _count(session, user_id) + more > most:
        raise Forbidden(
            sentence("the account may have %(most)s workflows; delete one that is not needed any more", most=most)
        )


def _count(session: Session, user_id: UUID) -> int:
    return session.scalar(select(func.count()).select_from(Workflow).where(Workflow.user_id == user_id)) or 0
