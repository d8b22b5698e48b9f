"""Named secrets, which expressions call `{{ secrets.NAME }}`. Once written, only the executor reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connections.named_values import delete_named, require_name, require_room
from flowforge.connections.views import NamedSecretView
from flowforge.db.credentials_store import MOST_SECRETS
from flowforge.db.tables import NamedSecret
from flowforge.errors import Invalid
from flowforge.ids import uuid7
from flowforge.secrets import Vault
from flowforge.sentences import sentence
from flowforge.views import view_of

LONGEST = 32_768


def list_secrets(session: Session, user_id: UUID) -> Sequence[NamedSecretView]:
    """The user's secrets by name, without their values."""
    mine = select(NamedSecret).where(NamedSecret.user_id == user_id)
    return [view_of(NamedSecretView, row) for row in session.scalars(mine.order_by(NamedSecret.name))]


def put_secret(session: Session, vault: Vault, user_id: UUID, name: str, value: Any) -> None:
    """Creates it or changes its value. Commits. Raises Invalid, and Conflict where there are too many."""
    require_name(name)
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        raise Invalid.at("/value", sentence("must be a text of at most %(most)s characters", most=format(LONGEST, ",")))
    full = sentence("there are %(most)s secrets already", most=MOST_SECRETS)
    require_room(session, NamedSecret, user_id, name, MOST_SECRETS, full)
    sealed, now = vault.seal(value), datetime.now(UTC)
    row = insert(NamedSecret).values(id=uuid7(), user_id=user_id, name=name, value=sealed, updated_at=now)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["user_id", "name"], set_={"value": row.excluded.value, "updated_at": now}
        )
    )
    record(session, Action.SECRET_SET, by=user_id, named=name)
    session.commit()


def delete_secret(session: Session, user_id: UUID, name: str) -> None:
    """Deletes it; steps that call it fail from now on. Commits. Raises NotFound."""
    delete_named(session, NamedSecret, user_id, name, sentence("there is no such secret"))
    record(session, Action.SECRET_DELETED, by=user_id, named=name)
    session.commit()
