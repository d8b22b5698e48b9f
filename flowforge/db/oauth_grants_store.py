"""Tokens of connections, and which process is renewing them: one statement each, committed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from flowforge.db.engine import transaction, unavailable_when_down
from flowforge.db.tables import OAuthGrant

GRANT_COLUMNS: tuple[Any, ...] = (
    OAuthGrant.id,
    OAuthGrant.generation,
    OAuthGrant.tokens,
    OAuthGrant.ends_at,
    OAuthGrant.renew_at,
    OAuthGrant.problem,
    OAuthGrant.identity,
)


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """`tokens`: sealed; None where they are still to be asked for. `problem`: why it is broken; None where it is
    not. `identity`: who has signed in, as far as the provider tells."""

    connection_id: UUID
    generation: int = 0
    tokens: str | None = None
    ends_at: datetime | None = None
    renew_at: datetime | None = None
    problem: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Tokens that a provider gave for those of the generation `former`. `sealed`: the tokens; `scopes`: None where the
    provider did not say, which changes nothing."""

    connection_id: UUID
    former: int
    sealed: str
    ends_at: datetime | None
    renew_at: datetime | None
    scopes: Sequence[str] | None

    @property
    def stored(self) -> StoredGrant:
        return StoredGrant(self.connection_id, self.former + 1, self.sealed, self.ends_at, self.renew_at)


def stored_grant(session: Session, connection_id: UUID) -> StoredGrant:
    """The tokens of a connection, as they are now; none where nobody has signed in."""
    row = session.execute(select(*GRANT_COLUMNS).where(OAuthGrant.id == connection_id)).first()
    return StoredGrant(*row) if row else StoredGrant(connection_id)


_BEGIN = text("""
    INSERT INTO workflow.oauth_grants AS g (id, generation, renewing_by, renewing_until)
    SELECT :id, :generation, :owner, now() + make_interval(secs => :seconds)
    WHERE EXISTS (SELECT FROM workflow.connections WHERE id = :id)
    ON CONFLICT (id) DO UPDATE
    SET renewing_by = excluded.renewing_by, renewing_until = excluded.renewing_until
    WHERE g.generation = :generation AND g.broken_at IS NULL
        AND (g.renewing_until IS NULL OR g.renewing_until < now())
    RETURNING g.generation
""")
_KEEP = text("""
    UPDATE workflow.oauth_grants
    SET generation = generation + 1, tokens = :sealed, ends_at = :ends_at, renew_at = :renew_at,
        scopes = COALESCE(:scopes, scopes), renewed_at = now(), renewing_by = NULL, renewing_until = NULL,
        broken_at = NULL, problem = NULL, told_at = NULL
    WHERE id = :id AND generation = :former
    RETURNING generation
""")
_GIVE_UP = text("""
    UPDATE workflow.oauth_grants
    SET renewing_by = NULL, renewing_until = NULL,
        renew_at = CASE WHEN renew_at IS NOT NULL
            THEN greatest(renew_at, now() + make_interval(secs => :seconds)) END
    WHERE id = :id AND generation = :generation AND renewing_by = :owner
""")
_BREAK = text("""
    UPDATE workflow.oauth_grants
    SET broken_at = now(), problem = :problem, told_at = NULL, renewing_by = NULL, renewing_until = NULL
    WHERE id = :id AND generation = :generation AND broken_at IS NULL
    RETURNING generation
""")


@dataclass(frozen=True, slots=True)
class OAuthGrantsStore:
    """Raises Unavailable where PostgreSQL does not answer."""

    engine: Engine

    def read(self, connection_id: UUID) -> StoredGrant | None:
        wanted = select(*GRANT_COLUMNS).where(OAuthGrant.id == connection_id)
        with unavailable_when_down(), self.engine.connect() as connection:
            row = connection.execute(wanted).first()
        return StoredGrant(*row) if row else None

    def begin_renewal(self, grant: StoredGrant, owner: str, seconds: float) -> bool:
        """Notes that `owner` is about to ask for tokens in place of these, and takes so many seconds at most; false
        where another is doing so, they have been replaced, or are broken."""
        wanted = {"id": grant.connection_id, "generation": grant.generation, "owner": owner, "seconds": seconds}
        with transaction(self.engine) as connection:
            return connection.execute(_BEGIN, wanted).first() is not None

    def keep(self, new: NewTokens) -> bool:
        """Stores tokens; false, and nothing is stored, where the former ones were replaced by others already."""
        wanted = {
            "id": new.connection_id,
            "former": new.former,
            "sealed": new.sealed,
            "ends_at": new.ends_at,
            "renew_at": new.renew_at,
            "scopes": None if new.scopes is None else list(new.scopes),
        }
        with transaction(self.engine) as connection:
            return connection.execute(_KEEP, wanted).first() is not None

    def give_up_renewal(self, grant: StoredGrant, owner: str, pause: float) -> None:
        """Lets others try; before the tokens end, nobody does for `pause` seconds."""
        wanted = {"id": grant.connection_id, "generation": grant.generation, "owner": owner, "seconds": pause}
        with transaction(self.engine) as connection:
            connection.execute(_GIVE_UP, wanted)

    def mark_broken(self, grant: StoredGrant, problem: str) -> bool:
        """False where these tokens were replaced, or are marked already."""
        wanted = {"id": grant.connection_id, "generation": grant.generation, "problem": problem}
        with transaction(self.engine) as connection:
            return connection.execute(_BREAK, wanted).first() is not None
