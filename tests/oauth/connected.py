"""Connections that somebody has signed in with, and calls that are signed by them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.saved_connection import SavedConnection
from flowforge.connectors.sdk import Response, StepContext
from flowforge.db.credentials_store import CredentialsStore
from flowforge.db.tables import OAuthGrant
from flowforge.oauth.renewal import HeldGrant
from flowforge.oauth.tokens import Tokens
from flowforge.secrets import Vault, open_fields
from flowforge.wiring import Backends

if TYPE_CHECKING:
    from tests.services.oauth_provider import Provider

OWNER = UUID("01900000-0000-7000-8000-00000000000a")
NAME = "signed-in"


def connect(backends: Backends, provider: Provider, *, owner: UUID = OWNER, **config: Any) -> UUID:
    """A saved connection to the provider; nobody has signed in with it."""
    kinds = load_catalog().connection_kinds
    with Session(backends.engine) as session:
        wanted = NewConnection.read({"name": NAME, "type": "oauth2", "config": provider.config(**config)}, kinds)
        return Connections(load_catalog(), backends.vault).create(session, owner, wanted).id


def sign_in(backends: Backends, provider: Provider, connection_id: UUID, *, ends_in: float | None = 3600) -> Tokens:
    """Gives the connection tokens of the provider, as a sign-in does, that end after so many seconds."""
    issued = provider.issue()
    tokens = Tokens(issued.access_token, issued.refresh_token)
    ends_at = None if ends_in is None else datetime.now(UTC) + timedelta(seconds=ends_in)
    renew_at = None if ends_at is None else ends_at - timedelta(seconds=300)
    with backends.engine.begin() as connection:
        connection.execute(
            insert(OAuthGrant).values(
                id=connection_id,
                generation=1,
                tokens=backends.vault.seal(tokens.as_text()),
                ends_at=ends_at,
                renew_at=renew_at,
                signed_in_at=datetime.now(UTC),
            )
        )
    return tokens


def age(backends: Backends, connection_id: UUID, *, ends_in: float) -> None:
    """Moves the end of the tokens, as FlowForge knows it."""
    ends_at = datetime.now(UTC) + timedelta(seconds=ends_in)
    values = {"ends_at": ends_at, "renew_at": ends_at - timedelta(seconds=300)}
    with backends.engine.begin() as connection:
        connection.execute(update(OAuthGrant).where(OAuthGrant.id == connection_id).values(**values))


@dataclass(frozen=True)
class Kept:
    """What the database holds of a grant, its tokens in clear."""

    row: OAuthGrant
    tokens: Tokens


def kept(backends: Backends, connection_id: UUID, vault: Vault | None = None) -> Kept:
    with Session(backends.engine) as session:
        row = session.scalars(select(OAuthGrant).where(OAuthGrant.id == connection_id)).one()
        tokens = Tokens.of_text((vault or backends.vault).open(row.tokens)) if row.tokens else Tokens("")
        session.expunge(row)
    return Kept(row, tokens)


def context_of(backends: Backends, *, seconds: float = 15) -> StepContext:
    """A step's, with the connection as it is saved now."""
    row = CredentialsStore(backends.engine).connection(OWNER, NAME)
    assert row is not None
    kind = load_catalog().connection_kinds[row.type]
    saved = SavedConnection(
        NAME, kind, open_fields(row.config, kind.secret_keys(), backends.vault), HeldGrant(backends.renewals, row.grant)
    )
    plain = StepContext(
        execution_id=uuid4(),
        workflow_id=uuid4(),
        user_id=OWNER,
        step_index=0,
        step_id="call",
        attempt=1,
        idempotency_key="key-1",
        deadline=time.monotonic() + seconds,
        trigger={},
        steps={},
        tools=backends.tools,
    )
    return saved.given_to(load_catalog().get("HTTP_REQUEST"), plain)


def call(backends: Backends, provider: Provider, *, seconds: float = 15) -> Response:
    """A request to the provider's API, signed by the connection. Raises ConnectorError."""
    context = context_of(backends, seconds=seconds)
    return backends.tools.http.send(context, "GET", f"{provider.url}/api", signed_by=context.connection)
