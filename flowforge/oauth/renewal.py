"""Renewal of tokens: early, by one request for all processes, and so that no answer of a provider is lost.

PostgreSQL holds that a process is about to ask before it asks. What the provider answers is on disk before anything
else is done with it, and in PostgreSQL before it is taken from there. Where a process dies in between, the next one
finds the answer; where it died before there was one, the former refresh token is tried again, which providers that
rotate them allow for a while. Only if that is refused is the connection broken.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from flowforge.db.oauth_grants_store import NewTokens, OAuthGrantsStore, StoredGrant
from flowforge.errors import Unavailable
from flowforge.ids import member_name
from flowforge.oauth.answer_journal import AnswerJournal
from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.tokens import Grant, Times, Tokens
from flowforge.secrets import Vault

LONGEST_REQUEST_SECONDS = 20.0
_LEASE_SECONDS = LONGEST_REQUEST_SECONDS + 10
_PAUSE_SECONDS = 30.0
"""After a renewal that failed, while the tokens are still good."""
_LOOK_SECONDS = 0.1
_SETTLE_SECONDS = 1.0

Ask = Callable[[Tokens | None], Grant]
"""Asks the provider for tokens in place of these (None: for the first). Raises OAuthError, or what its transport
does."""

log = logging.getLogger(__name__)


class NotSignedIn(OAuthError):
    """Nobody has signed in with the connection."""


class GrantEnded(OAuthError):
    """Only another sign-in helps."""

    def __init__(self, connection_id: UUID, problem: str) -> None:
        self.connection_id = connection_id
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Renewals:
    """What renewing needs; one for a process."""

    store: OAuthGrantsStore
    vault: Vault
    journal: AnswerJournal
    owner: str = field(default_factory=lambda: member_name("renewals"))

    def settle(self) -> None:
        """Stores the answers that the journal still holds. Raises Unavailable."""
        for new in self.journal.entries():
            self.settle_one(new)

    def settle_one(self, new: NewTokens) -> bool:
        """Raises Unavailable."""
        is_kept = self.store.keep(new)
        self.journal.remove(new)
        return is_kept

    def settle_quietly(self) -> None:
        """Does so when a process starts; what PostgreSQL does not take now is left to others."""
        try:
            self.settle()
        except Unavailable as error:
            log.warning("renewed tokens wait for PostgreSQL: %s", error)

    def keep(self, new: NewTokens) -> None:
        """Makes tokens durable. While PostgreSQL is away, the journal holds them, and a thread tries again."""
        self.journal.write(new)
        try:
            if not self.settle_one(new):
                log.warning("tokens of connection %s were replaced while they were renewed", new.connection_id)
        except Unavailable as error:
            log.warning("the renewed tokens of connection %s wait for PostgreSQL: %s", new.connection_id, error)
            threading.Thread(target=self._settle_later, args=(new,), name="renewed-tokens", daemon=True).start()

    def _settle_later(self, new: NewTokens) -> None:
        while True:
            time.sleep(_SETTLE_SECONDS)
            try:
                self.settle_one(new)
            except Unavailable:
                continue
            return


class HeldGrant:
    """The tokens of one connection, as one attempt of a step uses them."""

    def __init__(self, renewals: Renewals, stored: StoredGrant) -> None:
        self._renewals = renewals
        self._stored = stored
        self.identity = stored.identity
        """Who has signed in, as far as the provider tells."""

    @property
    def connection_id(self) -> UUID:
        return self._stored.connection_id

    def access_token(self, ask: Ask | None, deadline: float) -> str:
        """A token that is good now, renewed where it is time. `ask`: None where there is no way to renew it;
        `deadline`: by time.monotonic. Raises NotSignedIn, GrantEnded, OAuthError, Unavailable, and what `ask` does."""
        self._require_whole()
        now = datetime.now(UTC)
        has_ended = self._stored.tokens is None or (self._stored.ends_at is not None and self._stored.ends_at <= now)
        if has_ended or (self._stored.renew_at is not None and self._stored.renew_at <= now):
            self._renew(ask, deadline, must=has_ended)
        return self._tokens().access

    def renew(self, ask: Ask | None, deadline: float) -> bool:
        """Replaces tokens that were refused before their time; false where that is not possible. Raises as
        `access_token` does."""
        if ask is None:
            return False
        self._renew(ask, deadline, must=True)
        return True

    def end(self, problem: str) -> GrantEnded:
        """Marks the connection as broken; gives the error to be raised."""
        self._renewals.store.mark_broken(self._stored, problem)
        return GrantEnded(self.connection_id, problem)

    def tokens(self) -> Tokens | None:
        """As they are, whether they are good or not."""
        return None if self._stored.tokens is None else self._tokens()

    def _tokens(self) -> Tokens:
        if self._stored.tokens is None:
            raise NotSignedIn("nobody has signed in with the connection yet")
        return Tokens.of_text(self._renewals.vault.open(self._stored.tokens))

    def _require_whole(self) -> None:
        if self._stored.problem is not None:
            raise GrantEnded(self.connection_id, self._stored.problem)

    def _renew(self, ask: Ask | None, deadline: float, *, must: bool) -> None:
        """`must`: there is no going on with the tokens as they are."""
        if ask is None:
            if must and self._stored.tokens is not None:
                raise self.end("the access has ended, and the provider gave nothing to renew it with")
            return
        try:
            self._renew_once(ask, deadline, must=must)
        except (GrantEnded, NotSignedIn):
            raise
        except Exception as error:
            if must:
                raise
            log.warning("tokens of connection %s were not renewed, and go on: %s", self.connection_id, error)

    def _renew_once(self, ask: Ask, deadline: float, *, must: bool) -> None:
        """Renews them, or waits until another process has."""
        former = self._stored
        while not self._renewals.store.begin_renewal(former, self._renewals.owner, _LEASE_SECONDS):
            self._stored = self._renewals.store.read(self.connection_id) or StoredGrant(self.connection_id)
            self._require_whole()
            if self._stored.generation != former.generation or not must:
                return
            if time.monotonic() >= deadline:
                raise OAuthError("the tokens of the connection are being renewed, and that takes too long")
            time.sleep(_LOOK_SECONDS)
        if not self._take_from_journal(former):
            self._ask(ask, former)

    def _take_from_journal(self, former: StoredGrant) -> bool:
        """Whether a process that died has left the answer."""
        found = self._renewals.journal.find(former.connection_id, former.generation)
        if found is None or not self._renewals.settle_one(found):
            return False
        self._stored = found.stored
        return True

    def _ask(self, ask: Ask, former: StoredGrant) -> None:
        earlier, asked_at = self.tokens(), datetime.now(UTC)
        try:
            grant = ask(earlier)
        except Refused as error:
            if error.ends_the_grant:
                raise self.end(str(error)) from error
            self._give_up(former)
            raise
        except BaseException:
            self._give_up(former)
            raise
        new = self._new_tokens(grant, earlier, former, asked_at)
        self._stored = new.stored
        self._renewals.keep(new)

    def _give_up(self, former: StoredGrant) -> None:
        try:
            self._renewals.store.give_up_renewal(former, self._renewals.owner, _PAUSE_SECONDS)
        except Unavailable as error:
            log.warning("the renewal of connection %s ends with its lease: %s", self.connection_id, error)

    def _new_tokens(self, grant: Grant, earlier: Tokens | None, former: StoredGrant, asked_at: datetime) -> NewTokens:
        """A provider that does not rotate refresh tokens sends none: the former goes on (RFC 6749, 6)."""
        refresh = grant.tokens.refresh or (earlier.refresh if earlier else None)
        sealed = self._renewals.vault.seal(Tokens(grant.tokens.access, refresh).as_text())
        times = Times.of(grant.life, asked_at)
        return NewTokens(former.connection_id, former.generation, sealed, times.ends_at, times.renew_at, grant.scopes)
