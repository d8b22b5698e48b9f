"""Keys that were seen: who was the first to see one, until it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Key:
    """`scope`: the workflow or the account within which it is known. `digest`: of the key itself, SHA-256."""

    user_id: UUID
    scope: UUID
    digest: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """`call`: the step that saw it first. `added`: whether it was not known before."""

    call: str
    since: datetime
    added: bool


def see(connection: Connection, key: Key, call: str, expires_at: datetime) -> Seen | None:
    """Notes that a step sees a key, unless it is known. None where somebody else has noted it at the same moment: the
    next statement knows it."""
    row = connection.execute(
        text("""
        WITH known AS (
            SELECT call, since FROM data_tables.remembered
             WHERE user_id = :owner AND scope = :scope AND digest = :digest AND expires_at > now()
        ), noted AS (
            INSERT INTO data_tables.remembered AS r (user_id, scope, digest, call, expires_at)
            SELECT :owner, :scope, :digest, :call, :expires_at WHERE NOT EXISTS (SELECT FROM known)
            ON CONFLICT (user_id, scope, digest) DO UPDATE
               SET call = excluded.call, since = now(), expires_at = excluded.expires_at WHERE r.expires_at <= now()
            RETURNING call, since, xmax = 0 AS added
        )
        SELECT call, since, added FROM noted UNION ALL SELECT call, since, false FROM known
        """),
        {
            "owner": key.user_id,
            "scope": key.scope,
            "digest": key.digest,
            "call": call,
            "expires_at": expires_at,
        },
    ).first()
    return None if row is None else Seen(*row)
