"""Keys of user names: names that differ only in case, or in how Unicode writes the same letters, have one key.

An adopted database may hold several accounts with one key. The oldest has it then, and the others have none: they sign
in with their name exactly as it is spelled, and no new account can get such a name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, or_, select, text, update
from sqlalchemy.orm import Session

from flowforge.db.tables import User


@dataclass(frozen=True, slots=True)
class KeyedNames:
    """Names of the accounts that have got their key, and of those whose key an older account has."""

    filled: Sequence[str]
    shadowed: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Nameless:
    id: UUID
    username: str


def key_of(username: str) -> str:
    """The canonical caseless form of a name (The Unicode Standard, D146: toNFKC_Casefold, nearly)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def is_called(username: str) -> ColumnElement[bool]:
    """Holds for the account that has this very name, and for the one that has its key: at most two."""
    return or_(User.username == username, User.name_key == key_of(username))


def find_account(session: Session, username: str) -> UUID | None:
    """The id of the account that signs in by this name."""
    if "\0" in username:  # PostgreSQL's text cannot hold it
        return None
    exactly = User.username == username
    return session.scalar(select(User.id).where(is_called(username)).order_by(exactly.desc()).limit(1))


def fill_name_keys(engine: Engine) -> KeyedNames:
    """Gives a key to every account that lacks one: those of the originals, and of the release before. Idempotent."""
    with engine.begin() as connection:
        if not _without_key(connection):
            return KeyedNames((), ())
        connection.execute(text("LOCK TABLE auth.users IN SHARE ROW EXCLUSIVE MODE"))
        return _fill(connection, _without_key(connection))


def _fill(connection: Connection, rows: Sequence[_Nameless]) -> KeyedNames:
    filled: list[_Nameless] = []
    shadowed: list[_Nameless] = []
    taken = _taken(connection, [key_of(row.username) for row in rows])
    for row in rows:
        key = key_of(row.username)
        (shadowed if key in taken else filled).append(row)
        taken.add(key)
    for row in filled:
        values = {"name_key": key_of(row.username), "updated_at": User.updated_at}
        connection.execute(update(User).where(User.id == row.id).values(values))
    return KeyedNames([row.username for row in filled], [row.username for row in shadowed])


def _without_key(connection: Connection) -> list[_Nameless]:
    """Accounts without a key, the oldest first."""
    unkeyed = select(User.id, User.username).where(User.name_key.is_(None))
    return [_Nameless(*row) for row in connection.execute(unkeyed.order_by(User.created_at, User.id))]


def _taken(connection: Connection, keys: Sequence[str]) -> set[str]:
    found = connection.scalars(select(User.name_key).where(User.name_key.in_(keys)))
    return {key for key in found if key is not None}
