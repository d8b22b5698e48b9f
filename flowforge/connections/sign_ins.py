"""Signing in with a connection at its provider: in this browser, or by a code on any device; and signing out again."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connections.connections import find_connection
from flowforge.connections.views import DeviceView, SignInView
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2, OAuth2SignIn
from flowforge.connectors.provider_client import ProviderClient
from flowforge.connectors.sdk import ConnectorError
from flowforge.db import connection_waits_store
from flowforge.db.oauth_grants_store import stored_grant
from flowforge.db.tables import Connection, OAuthGrant, OAuthSignIn
from flowforge.errors import Conflict, NotFound
from flowforge.oauth import authorization
from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.scopes import missing_scopes
from flowforge.oauth.tokens import Grant, Times, Tokens
from flowforge.secrets import SecretUnreadable, mask_text, open_fields
from flowforge.sentences import sentence
from flowforge.triggers import connected
from flowforge.wiring import Backends

LIFETIME = timedelta(minutes=10)
"""The time in which a sign-in has to come back."""
_LONGEST_SECONDS = 25.0
_SLOWER_SECONDS = 5
"""RFC 8628, 3.5: `slow_down`."""
_ENDED = sentence("this sign-in is over, or was begun in another browser: begin it again")


@dataclass(frozen=True, slots=True)
class Browser:
    """Who signs in, and the session of their browser: what is begun in it ends in it alone."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class SignIns:
    """Everything raises NotFound for a connection of somebody else, and Conflict, with the reason, where the provider
    or the person does not let it happen."""

    backends: Backends

    def begin(self, session: Session, browser: Browser, connection_id: UUID, redirect_uri: str) -> str:
        """The address at the provider to which the browser goes. Commits."""
        client = self._client(self._load(session, browser.user_id, connection_id))
        if not client.provider.authorization_url:
            raise Conflict(sentence("%(name)s has no address at which a browser signs in", name=client.provider.name))
        begun = client.begin(redirect_uri)
        row = self._row(browser, connection_id, begun.state, begun.verifier, LIFETIME)
        self._add(session, row)
        return begun.url

    def finish(self, session: Session, browser: Browser, query: Mapping[str, str], redirect_uri: str) -> UUID:
        """Takes what the browser came back with, once; gives the connection. Commits."""
        row = self._take(session, browser, query.get("state", ""))
        connection = self._load(session, browser.user_id, row.connection_id)
        client, verifier = self._client(connection), self._opened(row.secret)
        session.commit()  # it is used up, and the provider may take its time
        with _as_conflicts([verifier or "", query.get("code", ""), client.client.secret]):
            grant = client.exchange(authorization.code_of(client.provider, query), redirect_uri, verifier)
        self._keep(session, browser, connection.id, client, grant)
        return connection.id

    def begin_device(self, session: Session, browser: Browser, connection_id: UUID) -> None:
        """Gets a code to be entered elsewhere. Commits."""
        client = self._client(self._load(session, browser.user_id, connection_id))
        if not client.provider.device_url:
            raise Conflict(sentence("%(name)s has no sign-in by a code", name=client.provider.name))
        session.rollback()
        with _as_conflicts([client.client.secret]):
            code = client.device_code()
        life = timedelta(seconds=code.life)
        row = self._row(browser, connection_id, secrets.token_urlsafe(32), code.device_code, life)
        row.user_code, row.url, row.complete_url = code.user_code, code.url, code.complete_url
        row.interval, row.ask_at = code.interval, datetime.now(UTC) + timedelta(seconds=code.interval)
        self._add(session, row)

    def ask_device(self, session: Session, browser: Browser, connection_id: UUID) -> bool:
        """Asks the provider, where it is time to, whether the code was entered; true where it was. Commits."""
        connection = self._load(session, browser.user_id, connection_id)
        row = self._due_device(session, browser, connection_id)
        if row is None:
            return False
        client, device_code = self._client(connection), self._opened(row.secret)
        row_id = row.id
        session.commit()
        try:
            with _as_conflicts([device_code or "", client.client.secret], pending=True):
                grant = client.device_tokens(device_code or "")
        except Refused as pending:
            self._ask_later(session, row_id, slower=pending.code == "slow_down")
            return False
        except Conflict:
            self._forget(session, row_id)
            raise
        self._forget(session, row_id)
        self._keep(session, browser, connection_id, client, grant)
        return True

    def sign_out(self, session: Session, browser: Browser, connection_id: UUID) -> str | None:
        """Forgets the tokens, and revokes them where the provider lets one. Commits. Gives the reason where they are
        not revoked."""
        connection = self._load(session, browser.user_id, connection_id)
        sealed = stored_grant(session, connection.id).tokens
        session.execute(delete(OAuthGrant).where(OAuthGrant.id == connection.id))
        record(session, Action.CONNECTION_SIGNED_OUT, by=browser.user_id, on=connection.id, named=connection.name)
        session.commit()
        try:
            if sealed:
                self._client(connection).revoke(Tokens.of_text(self.backends.vault.open(sealed)))
        except (OAuthError, ConnectorError, Conflict, SecretUnreadable) as error:
            return str(error)
        return None

    def look(self, session: Session, browser: Browser, connection_id: UUID) -> SignInView:
        """What the connection's page shows of it."""
        connection = self._load(session, browser.user_id, connection_id)
        config = self._config(connection)
        row = session.get(OAuthGrant, connection_id)
        wanted = config.wanted_scopes()
        return SignInView(
            way=config.way,
            provider=config.provider().name,
            is_signed_in=row is not None and row.tokens is not None,
            identity=row.identity if row else None,
            granted=tuple(row.scopes or wanted) if row and row.tokens else (),
            missing=tuple(missing_scopes(wanted, row.scopes)) if row and row.tokens else (),
            ends_at=row.ends_at if row else None,
            is_renewed=config.way == "client" or (row is not None and self._renews(row)),
            signed_in_at=row.signed_in_at if row else None,
            problem=row.problem if row else None,
            device=self._device(session, browser, connection_id),
        )

    def _renews(self, row: OAuthGrant) -> bool:
        """Whether it has a refresh token."""
        try:
            return bool(row.tokens and Tokens.of_text(self.backends.vault.open(row.tokens)).refresh)
        except SecretUnreadable:
            return False

    def _load(self, session: Session, user_id: UUID, connection_id: UUID) -> Connection:
        row = find_connection(session, user_id, connection_id)
        if row.type != OAUTH2.type:
            raise NotFound(sentence("there is no such connection"))
        return row

    def _config(self, connection: Connection) -> OAuth2SignIn:
        try:
            opened = open_fields(connection.config, OAUTH2.secret_keys(), self.backends.vault)
            return OAuth2SignIn.model_validate(opened)
        except (ValidationError, SecretUnreadable) as error:
            raise Conflict(sentence("the connection cannot be used as it is saved: save it anew")) from error

    def _client(self, connection: Connection) -> ProviderClient:
        with _as_conflicts():
            config = self._config(connection)
            return config.provider_client(self.backends.tools, time.monotonic() + _LONGEST_SECONDS)

    def _row(
        self, browser: Browser, connection_id: UUID, state: str, secret: str | None, life: timedelta
    ) -> OAuthSignIn:
        sealed = self.backends.vault.seal(secret) if secret else None
        return OAuthSignIn(
            id=_digest(state),
            connection_id=connection_id,
            session_id=browser.session_id,
            secret=sealed,
            ends_at=datetime.now(UTC) + life,
        )

    def _add(self, session: Session, row: OAuthSignIn) -> None:
        """One sign-in of a connection at a time; those that have ended go."""
        session.execute(delete(OAuthSignIn).where(OAuthSignIn.ends_at < func.now()))
        session.execute(delete(OAuthSignIn).where(OAuthSignIn.connection_id == row.connection_id))
        session.add(row)
        session.commit()

    def _take(self, session: Session, browser: Browser, state: str) -> OAuthSignIn:
        """The sign-in that the state names, which is used up by that."""
        mine = delete(OAuthSignIn).where(
            OAuthSignIn.id == _digest(state),
            OAuthSignIn.session_id == browser.session_id,
            OAuthSignIn.ends_at > func.now(),
        )
        row = session.scalars(mine.returning(OAuthSignIn)).first()
        if row is None:
            raise Conflict(_ENDED)
        return row

    def _device(self, session: Session, browser: Browser, connection_id: UUID) -> DeviceView | None:
        row = session.scalars(_devices(browser, connection_id)).first()
        if row is None or row.user_code is None or row.url is None:
            return None
        return DeviceView(row.user_code, row.url, row.complete_url, row.interval or _SLOWER_SECONDS, row.ends_at)

    def _due_device(self, session: Session, browser: Browser, connection_id: UUID) -> OAuthSignIn | None:
        """The sign-in by a code, where the provider may be asked again: by one at a time."""
        due = _devices(browser, connection_id).where(OAuthSignIn.ask_at <= func.now())
        row = session.scalars(due.with_for_update(skip_locked=True)).first()
        if row is not None:
            row.ask_at = datetime.now(UTC) + timedelta(seconds=row.interval or _SLOWER_SECONDS)
        return row

    def _ask_later(self, session: Session, row_id: str, *, slower: bool) -> None:
        if slower:
            interval = OAuthSignIn.interval + _SLOWER_SECONDS
            session.execute(update(OAuthSignIn).where(OAuthSignIn.id == row_id).values(interval=interval))
            session.commit()

    def _forget(self, session: Session, row_id: str) -> None:
        session.execute(delete(OAuthSignIn).where(OAuthSignIn.id == row_id))
        session.commit()

    def _opened(self, sealed: str | None) -> str | None:
        return self.backends.vault.open(sealed) if sealed else None

    def _keep(
        self, session: Session, browser: Browser, connection_id: UUID, client: ProviderClient, grant: Grant
    ) -> None:
        """Stores the tokens, and lets the steps and triggers go on that waited for them."""
        identity = client.who_is(grant)
        connection = self._load(session, browser.user_id, connection_id)  # it may have been deleted meanwhile
        session.execute(_granted(connection_id, self.backends.vault.seal(grant.tokens.as_text()), grant, identity))
        connection_waits_store.go_on(session.connection(), connection_id)
        connected.go_on(session, browser.user_id, connection.name)
        record(session, Action.CONNECTION_SIGNED_IN, by=browser.user_id, on=connection_id, named=connection.name)
        session.commit()


def _devices(browser: Browser, connection_id: UUID) -> Any:
    return select(OAuthSignIn).where(
        OAuthSignIn.connection_id == connection_id,
        OAuthSignIn.session_id == browser.session_id,
        OAuthSignIn.user_code.is_not(None),
        OAuthSignIn.ends_at > func.now(),
    )


def _granted(connection_id: UUID, sealed: str, grant: Grant, identity: str | None) -> Any:
    times = Times.of(grant.life, datetime.now(UTC))
    values = {
        "tokens": sealed,
        "ends_at": times.ends_at,
        "renew_at": times.renew_at,
        "scopes": None if grant.scopes is None else list(grant.scopes),
        "identity": identity,
        "signed_in_at": func.now(),
    }
    nothing = ("renewed_at", "renewing_by", "renewing_until", "broken_at", "problem", "told_at")
    anew = {**values, "generation": OAuthGrant.generation + 1, **dict.fromkeys(nothing)}
    row = insert(OAuthGrant).values(id=connection_id, generation=1, **values)
    return row.on_conflict_do_update(index_elements=["id"], set_=anew)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


@contextmanager
def _as_conflicts(kept_out: Sequence[str] = (), *, pending: bool = False) -> Iterator[None]:
    """`kept_out`: secrets that no message quotes. `pending`: that a person has not decided yet is raised as it is."""
    try:
        yield
    except (OAuthError, ConnectorError) as error:
        if pending and isinstance(error, Refused) and error.is_pending:
            raise
        raise Conflict(mask_text(str(error), kept_out)) from error
