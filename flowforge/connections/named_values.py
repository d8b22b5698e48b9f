"""Values that expressions call by their names, `{{ secrets.NAME }}` and `{{ vars.name }}`: what holds for both."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from flowforge.db.tables import NamedSecret, VariableRow
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.sentences import sentence

Row = type[NamedSecret | VariableRow]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def require_name(name: str) -> None:
    """Raises Invalid for a name that expressions cannot call."""
    if not _NAME.fullmatch(name):
        raise Invalid.at(
            "/name", sentence("must be letters, digits and _, not start with a digit, and have at most 64 characters")
        )


def require_room(session: Session, row: Row, user_id: UUID, name: str, most: int, full: str) -> None:
    """Raises Conflict, with the message `full`, where the account has the most it may have, all with other names."""
    others = select(func.count()).where(row.user_id == user_id, row.name != name)
    if (session.scalar(others) or 0) >= most:
        raise Conflict(full)


def delete_named(session: Session, row: Row, user_id: UUID, name: str, missing: str) -> None:
    """Raises NotFound, with the message `missing`."""
    deleted = session.execute(delete(row).where(row.user_id == user_id, row.name == name))
    if not deleted.rowcount:  # type: ignore[attr-defined]
        raise NotFound(missing)
