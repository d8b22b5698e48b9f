"""Signing in with a connection, in the browser and by a code: what the page says before, on the way, and afterwards."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import AuditEntryRow, Connection, OAuthGrant, OAuthSignIn
from flowforge.wiring import Backends
from tests.services.oauth_provider import CLIENT_ID, CLIENT_SECRET, PERSON, Provider
from tests.ui.conftest import Browser
from tests.ui.test_pages import created

SignUp = Callable[[str], Browser]


def connected_to(browser: Browser, provider: Provider, **more: str) -> str:
    """Path of a new connection to the provider."""
    config = provider.config()
    fields = {f"config.{key}": "\n".join(value) if isinstance(value, list) else value for key, value in config.items()}
    given = {"type": "oauth2", "name": "mail", **fields, **more}
    answer = browser.send("/connections/new", "/connections/new?type=oauth2", **given)
    assert answer.status_code == 303, answer.text
    return answer.location


def sent_to_provider(browser: Browser, path: str) -> str:
    answer = browser.send(f"{path}/sign-in", path)
    assert answer.status_code == 303
    return answer.location


def consented(address: str, decision: str = "allow") -> str:
    """Where the provider sends the browser back to, as a path."""
    answer = requests.post(address, data={"decision": decision}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    assert back.netloc == "localhost"
    return f"{back.path}?{back.query}"


def signed_in(browser: Browser, provider: Provider) -> str:
    path = connected_to(browser, provider)
    answer = browser.get(consented(sent_to_provider(browser, path)))
    assert answer.location == path
    return path


def grants(backends: Backends) -> list[OAuthGrant]:
    with Session(backends.engine) as session:
        return list(session.scalars(select(OAuthGrant)))


def test_somebody_signs_in_and_sees_as_whom(ada: Browser, provider: Provider, backends: Backends) -> None:
    path = connected_to(ada, provider)
    before = ada.get(path)
    assert "http://localhost/connections/oauth/callback" in before.text
    assert "form-action 'self' https:" in before.headers["Content-Security-Policy"]
    address = sent_to_provider(ada, path)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["client_id"], asked["scope"], asked["code_challenge_method"]) == (CLIENT_ID, "read", "S256")
    assert ada.get(consented(address)).location == path
    page = ada.get(path).text
    assert PERSON in page
    assert "it is renewed" in page
    assert "Reconnect" in page
    [grant] = grants(backends)
    secrets = [provider.tokens[0].access_token, provider.tokens[0].refresh_token or "", CLIENT_SECRET]
    assert all(secret not in page + str(grant.tokens) for secret in secrets)
    with Session(backends.engine) as session:
        assert "connection.signed-in" in list(session.scalars(select(AuditEntryRow.action)))


def test_what_was_not_granted_is_named(ada: Browser, provider: Provider) -> None:
    provider.grants_only = "read"
    path = connected_to(ada, provider, **{"config.scopes": "read\nwrite"})
    ada.get(consented(sent_to_provider(ada, path)))
    assert re.search(r"Not granted</dt>\s*<dd[^>]*>\s*write", ada.get(path).text)


class TestComingBack:
    def test_counts_once(self, ada: Browser, provider: Provider, backends: Backends) -> None:
        path = connected_to(ada, provider)
        back = consented(sent_to_provider(ada, path))
        assert ada.get(back).location == path
        assert ada.get(back).location == "/connections"
        assert "was begun in another browser" in ada.get("/connections").text
        assert [grant.generation for grant in grants(backends)] == [1]

    def test_counts_in_the_browser_in_which_it_began(
        self, ada: Browser, signed_up: SignUp, provider: Provider, backends: Backends
    ) -> None:
        back = consented(sent_to_provider(ada, connected_to(ada, provider)))
        eve = signed_up("eve")
        assert eve.get(back).location == "/connections"
        assert grants(backends) == []
        assert provider.asked == [], "the code was not used"

    def test_takes_ten_minutes_at_most(self, ada: Browser, provider: Provider, backends: Backends) -> None:
        back = consented(sent_to_provider(ada, connected_to(ada, provider)))
        with backends.engine.begin() as connection:
            connection.execute(update(OAuthSignIn).values(ends_at=datetime.now(UTC)))
        assert ada.get(back).location == "/connections"
        assert grants(backends) == []

    @pytest.mark.parametrize("query", ["", "?state=", "?state=unknown&code=x", "?error=access_denied"])
    def test_with_anything_else_is_told(self, ada: Browser, query: str) -> None:
        assert ada.get(f"/connections/oauth/callback{query}").location == "/connections"
        assert "Sign-in failed" in ada.get("/connections").text

    def test_without_consent_is_told(self, ada: Browser, provider: Provider) -> None:
        path = connected_to(ada, provider)
        ada.get(consented(sent_to_provider(ada, path), "deny"))
        assert "access_denied" in ada.get("/connections").text

    def test_to_a_connection_that_is_gone_stores_nothing(
        self, ada: Browser, provider: Provider, backends: Backends
    ) -> None:
        back = consented(sent_to_provider(ada, connected_to(ada, provider)))
        with backends.engine.begin() as connection:
            connection.execute(delete(Connection))
        assert ada.get(back).location == "/connections"
        assert grants(backends) == []

    def test_where_the_provider_answers_nonsense_is_told(self, ada: Browser, provider: Provider) -> None:
        back = consented(sent_to_provider(ada, connected_to(ada, provider)))
        provider.odd = lambda: "<html>hello</html>"
        assert ada.get(back).location == "/connections"
        assert "something else than JSON" in ada.get("/connections").text


def test_signing_out_revokes_and_forgets(ada: Browser, provider: Provider, backends: Backends) -> None:
    path = signed_in(ada, provider)
    assert ada.send(f"{path}/sign-out", path).location == path
    assert grants(backends) == []
    assert provider.tokens[0].revoked
    assert "Nobody has signed in yet" in ada.get(path).text


def test_a_broken_one_says_so_and_names_what_waits(ada: Browser, provider: Provider, backends: Backends) -> None:
    path = signed_in(ada, provider)
    step = {"type": "HTTP_REQUEST", "config": {"url": f"{provider.url}/api", "connection": "mail"}}
    created(ada, {"name": "Mailing", "actions": [step]})
    with backends.engine.begin() as connection:
        connection.execute(update(OAuthGrant).values(broken_at=OAuthGrant.signed_in_at, problem="it was revoked"))
    page = ada.get(path).text
    assert "Sign in again" in page
    assert "it was revoked" in page
    assert "Mailing" in page
    assert "Sign in again" in ada.get("/connections").text
    ada.get(consented(sent_to_provider(ada, path)))
    assert "Sign in again" not in ada.get(path).text


def test_a_code_is_entered_on_another_device(ada: Browser, provider: Provider, backends: Backends) -> None:
    path = connected_to(ada, provider, **{"config.way": "device"})
    ada.send(f"{path}/device", path)
    page = ada.get(path).text
    found = re.search(r'aria-label="Code">\s*([^<\s]+)', page)
    assert found
    assert f"{provider.url}/activate" in page
    polled = ada.get(f"{path}/device")
    assert "HX-Refresh" not in polled.headers
    assert provider.asked == [], "it is not asked before its interval is over"
    time.sleep(1.1)
    assert "HX-Refresh" not in ada.get(f"{path}/device").headers, "nobody has entered it yet"
    provider.enter(found[1])
    time.sleep(1.1)
    assert ada.get(f"{path}/device").headers["HX-Refresh"] == "true"
    assert PERSON in ada.get(path).text
    assert len(provider.asked) == 2
    assert len(grants(backends)) == 1


def test_one_that_cannot_be_used_as_it_is_saved_can_be_mended(
    ada: Browser, provider: Provider, backends: Backends
) -> None:
    path = signed_in(ada, provider)
    with backends.engine.begin() as connection:
        connection.execute(update(Connection).values(config={"preset": "gone-with-a-release"}))
    assert ada.get(path).status_code == 200
    assert ada.send(f"{path}/sign-in", path).location == path
    assert "save it anew" in ada.get(path).text
    assert ada.send(f"{path}/sign-out", path).location == path
    assert grants(backends) == []


def test_strangers_find_nothing(ada: Browser, signed_up: SignUp, provider: Provider) -> None:
    path = connected_to(ada, provider)
    eve = signed_up("eve")
    for action in ("sign-in", "sign-out", "device", "device/check"):
        assert eve.send(f"{path}/{action}", "/connections/new?type=oauth2").status_code == 404, action
    assert eve.get(f"{path}/device").status_code == 404


class TestPresets:
    def test_are_found_and_offered_first(self, ada: Browser) -> None:
        page = ada.get("/connections/new?q=spreadsheet+sheets").text
        assert "No results for" in page
        page = ada.get("/connections/new?q=sheets").text
        assert "preset=google" in page
        assert "preset=slack" not in page
        everything = ada.get("/connections/new").text
        assert everything.index("preset=google") < everything.index("type=oauth2")

    def test_ask_for_what_they_leave_open(self, ada: Browser, backends: Backends) -> None:
        page = ada.get("/connections/new?preset=google").text
        assert "Gmail: send mail" in page
        assert "Token URL" not in page
        scope = "https://www.googleapis.com/auth/gmail.send"
        fields = {"config.clientId": "id", "config.scopes": scope, "config.otherScopes": "of-my-own"}
        made = ada.send(
            "/connections/new", "/connections/new?preset=google", preset="google", name="g", type="oauth2", **fields
        )
        assert made.status_code == 303, made.text
        with Session(backends.engine) as session:
            config = session.scalars(select(Connection.config)).one()
        assert config["preset"] == "google"
        assert config["scopes"] == [scope, "of-my-own"]
        assert config["hosts"] == ["*.googleapis.com"]
        address = sent_to_provider(ada, made.location)
        assert address.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
        asked = parse_qs(urlsplit(address).query)
        assert asked["access_type"] == ["offline"]
        assert asked["scope"] == [f"openid email {scope} of-my-own"]

    def test_of_other_kinds_fill_in_their_fields(self, ada: Browser, backends: Backends) -> None:
        assert "api.telegram.org" in ada.get("/connections/new?preset=telegram").text

    def test_an_account_is_a_name_and_no_address(self, ada: Browser) -> None:
        for account in ("evil.test/", "a@evil.test", "x?", "..", "a b"):
            fields = {"config.clientId": "id", "config.account": account}
            made = ada.send(
                "/connections/new",
                "/connections/new?preset=shopify",
                preset="shopify",
                name="s",
                type="oauth2",
                **fields,
            )
            assert made.status_code == 400, account
