"""Tokens of connections: renewed early and once, whatever providers answer and whenever they end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Response
from sqlalchemy import update

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectionBroken, ConnectorError
from flowforge.db.oauth_grants_store import NewTokens, OAuthGrantsStore
from flowforge.db.sealed import reseal
from flowforge.db.tables import OAuthGrant
from flowforge.errors import Unavailable
from flowforge.oauth.tokens import Tokens
from flowforge.secrets import Vault, new_key
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.oauth.connected import age, call, connect, context_of, kept, sign_in
from tests.services.oauth_provider import Provider
from tests.statements import counting_statements


def test_a_step_sends_the_token_and_asks_nobody_while_it_is_good(backends: Backends, provider: Provider) -> None:
    tokens = sign_in(backends, provider, connect(backends, provider))
    assert call(backends, provider).status == 200
    assert provider.called_with == [tokens.access]
    assert provider.asked == []


def test_the_token_of_a_step_with_many_calls_is_masked_as_one(backends: Backends, provider: Provider) -> None:
    tokens = sign_in(backends, provider, connect(backends, provider))
    context = context_of(backends)
    for _ in range(3):
        backends.tools.http.send(context, "GET", f"{provider.url}/api", signed_by=context.connection)
    assert context.secrets == [tokens.access]


def test_it_is_renewed_before_it_ends(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    former = sign_in(backends, provider, connection, ends_in=240)
    assert call(backends, provider).ok
    [asked] = provider.asked
    assert (asked["grant_type"], asked["refresh_token"]) == ("refresh_token", former.refresh)
    now = kept(backends, connection)
    assert provider.called_with == [now.tokens.access]
    assert now.tokens.access != former.access
    assert now.tokens.refresh == former.refresh, "a provider that does not rotate sends none"
    assert now.row.ends_at is not None
    assert abs(now.row.ends_at - datetime.now(UTC) - timedelta(seconds=3600)) < timedelta(seconds=10)


def test_many_steps_at_once_ask_once(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-5)
    provider.rotates, provider.delay = True, 0.3
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call(backends, provider).status, range(8)))
    assert answers == [200] * 8
    assert len(provider.asked) == 1


def test_nobody_waits_for_a_renewal_while_the_token_is_still_good(backends: Backends, provider: Provider) -> None:
    sign_in(backends, provider, connect(backends, provider), ends_in=120)
    provider.delay = 2
    slow = threading.Thread(target=call, args=(backends, provider))
    slow.start()
    while not provider.asked:
        time.sleep(0.01)
    assert call(backends, provider).ok
    assert slow.is_alive()
    slow.join()
    assert len(provider.asked) == 1


def test_one_that_is_refused_in_the_middle_is_renewed_and_the_call_made_once_more(
    backends: Backends, provider: Provider
) -> None:
    connection = connect(backends, provider)
    former = sign_in(backends, provider, connection)
    context = context_of(backends)

    def send() -> int:
        return backends.tools.http.send(context, "GET", f"{provider.url}/api", signed_by=context.connection).status

    assert send() == 200
    provider.expire_access()
    assert [send(), send()] == [200, 200]
    assert len(provider.asked) == 1
    renewed = kept(backends, connection).tokens.access
    assert provider.called_with == [former.access, former.access, renewed, renewed]


def test_a_call_that_is_refused_whatever_the_token_is_made_twice_and_no_more(
    backends: Backends, provider: Provider
) -> None:
    sign_in(backends, provider, connect(backends, provider))
    context = context_of(backends)

    def renewed_and_revoked() -> Any:
        return {"access_token": "refused-anyway", "token_type": "Bearer", "expires_in": 3600}

    provider.expire_access()
    provider.odd = renewed_and_revoked
    answer = backends.tools.http.send(context, "GET", f"{provider.url}/api", signed_by=context.connection)
    assert answer.status == 401
    assert len(provider.asked) == 1
    assert len(provider.called_with) == 2


def test_a_rotated_refresh_token_takes_the_place_of_the_former(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    former = sign_in(backends, provider, connection, ends_in=-1)
    provider.rotates = True
    assert call(backends, provider).ok
    second = kept(backends, connection).tokens
    assert second.refresh not in (None, former.refresh)
    age(backends, connection, ends_in=-1)
    assert call(backends, provider).ok
    assert [asked["refresh_token"] for asked in provider.asked] == [former.refresh, second.refresh]


@pytest.mark.parametrize("life", [None, 0, -3, "soon", [], True, "", "nan"])
def test_one_whose_end_is_not_known_is_used_until_it_is_refused(
    backends: Backends, provider: Provider, life: Any
) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-1)
    issued = provider.issue()
    answer = {"access_token": issued.access_token, "token_type": "Bearer"} | (
        {} if life is None else {"expires_in": life}
    )
    provider.odd = lambda: answer
    assert call(backends, provider).ok
    assert kept(backends, connection).row.ends_at is None
    assert call(backends, provider).ok
    assert len(provider.asked) == 1


@pytest.mark.parametrize("life", ["3600", 3600.0, "3600.0"])
def test_a_life_may_be_written_as_text(backends: Backends, provider: Provider, life: Any) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-1)
    provider.odd = lambda: {"access_token": provider.issue().access_token, "expires_in": life}
    assert call(backends, provider).ok
    assert kept(backends, connection).row.ends_at is not None


def answer_slowly() -> Response:
    time.sleep(3)
    return Response("{}")


NONSENSE = {
    "a page": lambda: Response("<html>Sign in</html>", mimetype="text/html"),
    "an error": lambda: Response("<h1>oops</h1>", 500),
    "too much": lambda: Response(b"x" * (11 * 1024 * 1024), mimetype="application/json"),
    "a list": lambda: Response("[1, 2]", mimetype="application/json"),
    "no token": lambda: {"token_type": "Bearer"},
    "a token that is none": lambda: {"access_token": "two\nlines"},
    "an object": lambda: {"access_token": {"a": 1}},
    "too late": answer_slowly,
    "a redirect": lambda: Response(status=307, headers={"Location": "https://elsewhere.test/"}),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_a_passing_error_and_breaks_nothing(backends: Backends, provider: Provider, what: str) -> None:
    connection = connect(backends, provider)
    tokens = sign_in(backends, provider, connection, ends_in=-1)
    provider.odd = NONSENSE[what]
    with pytest.raises(ConnectorError) as raised:
        call(backends, provider, seconds=1.5)
    assert not raised.value.permanent or what == "too much"
    assert tokens.refresh is not None
    assert tokens.refresh not in str(raised.value)
    assert kept(backends, connection).row.broken_at is None
    provider.odd = None
    assert call(backends, provider).ok


@pytest.mark.parametrize("what", ["a page", "an error", "no token"])
def test_a_renewal_that_fails_early_fails_no_step(backends: Backends, provider: Provider, what: str) -> None:
    sign_in(backends, provider, connect(backends, provider), ends_in=120)
    provider.odd = NONSENSE[what]
    assert call(backends, provider).ok
    assert call(backends, provider).ok
    assert len(provider.asked) == 1, "it is left in peace for a while"


def test_a_sign_in_that_was_revoked_breaks_the_connection(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-1)
    provider.revoke_all()
    with pytest.raises(ConnectionBroken) as raised:
        call(backends, provider)
    assert raised.value.connection_id == connection
    broken = kept(backends, connection).row
    assert broken.broken_at is not None
    assert "invalid_grant" in (broken.problem or "")
    with pytest.raises(ConnectionBroken):
        call(backends, provider)
    assert len(provider.asked) == 1, "nobody asks again"


@pytest.mark.parametrize(
    ("answer", "is_broken"),
    [
        ({"error": "bad_refresh_token", "error_description": "of GitHub"}, True),
        ({"ok": False, "error": "invalid_refresh_token"}, True),
        ({"error": "invalid_client"}, False),
        ({"error": {"code": "invalid_scope", "message": "an object"}}, False),
    ],
)
def test_refusals_come_with_any_status(
    backends: Backends, provider: Provider, answer: dict[str, Any], is_broken: bool
) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-1)
    provider.odd = lambda: answer
    with pytest.raises(ConnectorError) as raised:
        call(backends, provider)
    assert isinstance(raised.value, ConnectionBroken) is is_broken
    assert raised.value.permanent
    assert (kept(backends, connection).row.broken_at is not None) is is_broken


def test_one_without_a_refresh_token_breaks_when_it_ends(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    sign_in(backends, provider, connection)
    with backends.engine.begin() as database:
        alone = backends.vault.seal(Tokens("access-only").as_text())
        database.execute(update(OAuthGrant).values(tokens=alone))
    assert call(backends, provider).status == 401
    age(backends, connection, ends_in=-1)
    with pytest.raises(ConnectionBroken):
        call(backends, provider)


def test_nobody_has_signed_in(backends: Backends, provider: Provider) -> None:
    connect(backends, provider)
    with pytest.raises(ConnectorError, match="nobody has signed in"):
        call(backends, provider)


def test_a_client_that_is_let_in_by_itself_gets_a_token_for_all(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider, way="client", parameters={"audience": "https://api.example.test"})
    with ThreadPoolExecutor(4) as pool:
        assert [answer.status for answer in pool.map(lambda _: call(backends, provider), range(4))] == [200] * 4
    [asked] = provider.asked
    assert (asked["grant_type"], asked["scope"], asked["audience"]) == (
        "client_credentials",
        "read",
        "https://api.example.test",
    )
    age(backends, connection, ends_in=-1)
    assert call(backends, provider).ok
    assert len(provider.asked) == 2


def test_parameters_change_nothing_of_the_protocol(backends: Backends, provider: Provider) -> None:
    odd = {"grant_type": "password", "body": "x", "client_secret": "other", "scope": "all", "include_client_id": "y"}
    connect(backends, provider, way="client", parameters=odd)
    assert call(backends, provider).ok
    assert provider.asked[0]["grant_type"] == "client_credentials"
    assert provider.asked[0]["scope"] == "read"


def test_a_good_token_costs_no_statement_of_its_own(backends: Backends, provider: Provider) -> None:
    sign_in(backends, provider, connect(backends, provider))
    call(backends, provider)
    with counting_statements(backends.engine) as statements:
        call(backends, provider)
    assert len(statements) == 1


def test_tokens_are_put_under_a_new_key_like_all_secrets(backends: Backends, provider: Provider) -> None:
    connection = connect(backends, provider)
    tokens = sign_in(backends, provider, connection)
    newest = new_key()
    reseal(backends.engine, Vault([newest, *backends.keys.vault]))
    sealed = kept(backends, connection, Vault([newest])).tokens
    assert sealed == tokens


class TestWhilePostgresIsAway:
    """The provider has answered, and the database does not."""

    def test_the_answer_is_on_disk_and_stored_later(
        self, backends: Backends, provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection = connect(backends, provider)
        sign_in(backends, provider, connection, ends_in=-1)
        provider.rotates = True
        store = OAuthGrantsStore.keep

        def away(*_: Any) -> bool:
            raise Unavailable("PostgreSQL does not answer")

        monkeypatch.setattr(OAuthGrantsStore, "keep", away)
        assert call(backends, provider).ok, "the step goes on with it"
        [file] = (settings.home / "renewed-tokens").iterdir()
        assert b"access" not in file.read_bytes()
        monkeypatch.setattr(OAuthGrantsStore, "keep", store)
        backends.renewals.settle()
        assert kept(backends, connection).tokens.access == provider.tokens[-1].access_token
        assert list((settings.home / "renewed-tokens").iterdir()) == []
        assert call(backends, provider).ok
        assert len(provider.asked) == 1

    def test_what_the_release_before_has_noted_is_read(self, backends: Backends) -> None:
        journal, now, id_ = backends.renewals.journal, datetime.now(UTC), uuid4()
        noted = {"connection": str(id_), "former": 3, "sealed": "tokens", "scopes": ["read"]}
        journal.folder.mkdir()
        sealed = backends.vault.seal(jsonio.dumps({**noted, "endsAt": now.isoformat(), "renewAt": None}).decode())
        (journal.folder / f"{id_}.3.sealed").write_text(sealed)
        assert list(journal.entries()) == [NewTokens(id_, 3, "tokens", now, None, ["read"])]
