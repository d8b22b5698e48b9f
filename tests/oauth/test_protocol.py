"""The protocol by itself: what requests say, and what is read in answers."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from pydantic import ValidationError

from flowforge.oauth import authorization, token_requests
from flowforge.oauth.clients import read_clients
from flowforge.oauth.device import read_device_code
from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.identity import claims_of, name_in
from flowforge.oauth.provider import Client, ClientAuthentication, Identity, Provider, is_secure
from flowforge.oauth.scopes import missing_scopes
from flowforge.oauth.tokens import read_grant
from flowforge.settings import Settings

CLIENT = Client("an id", "a+secret/with:odd characters")


def provider(**more: Any) -> Provider:
    return Provider("The provider", "https://id.test/token", "https://id.test/authorize?tenant=1", **more)


def test_an_authorization_request_proves_later_that_it_was_ours() -> None:
    begun = authorization.begin(provider(scope_separator=","), CLIENT, ["a", "b"], "https://here.test/callback")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
    assert begun.verifier is not None
    digest = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode().rstrip("=")
    assert asked == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "an id",
        "redirect_uri": "https://here.test/callback",
        "scope": "a,b",
        "state": begun.state,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    assert authorization.begin(provider(), CLIENT, [], "https://here.test").state != begun.state


def test_parameters_change_nothing_that_the_protocol_says() -> None:
    odd = {"state": "mine", "redirect_uri": "https://evil.test", "prompt": "consent"}
    begun = authorization.begin(provider(parameters=odd), CLIENT, [], "https://here.test")
    asked = parse_qs(urlsplit(begun.url).query)
    assert (asked["state"], asked["redirect_uri"], asked["prompt"]) == (
        [begun.state],
        ["https://here.test"],
        ["consent"],
    )


@pytest.mark.parametrize(
    ("way", "client", "header", "fields"),
    [
        (ClientAuthentication.BASIC, CLIENT, True, set()),
        (ClientAuthentication.BODY, CLIENT, False, {"client_id", "client_secret"}),
        (ClientAuthentication.NONE, CLIENT, False, {"client_id"}),
        (ClientAuthentication.BASIC, Client("public"), False, {"client_id"}),
    ],
)
def test_a_client_proves_itself_as_the_provider_wants(
    way: ClientAuthentication, client: Client, header: bool, fields: set[str]
) -> None:
    request = token_requests.refresh_request(provider(client_authentication=way), client, "kept")
    assert ("Authorization" in request.headers) is header
    assert set(request.fields) == {"grant_type", "refresh_token"} | fields
    if header:
        sent = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        assert [unquote(part) for part in sent.split(":")] == [client.id, client.secret]


def test_answers_may_be_forms() -> None:
    grant = read_grant(provider(), 200, b"access_token=gho_1&scope=repo%2Cgist&token_type=bearer")
    assert (grant.tokens.access, grant.scopes, grant.life) == ("gho_1", ("repo", "gist"), None)
    with pytest.raises(Refused, match="bad_verification_code"):
        read_grant(provider(), 200, b"error=bad_verification_code&error_description=The+code")


def test_a_form_with_very_many_fields_is_no_answer() -> None:
    with pytest.raises(OAuthError, match="something else than JSON"):
        read_grant(provider(), 200, b"access_token=gho_1" + b"&x=1" * 100)


@pytest.mark.parametrize(
    ("status", "content", "ends"),
    [
        (400, b'{"error": "invalid_grant"}', True),
        (400, b'{"object": "error", "code": "invalid_grant", "message": "of Notion"}', True),
        (200, b'{"ok": false, "error": "invalid_refresh_token"}', True),
        (401, b'{"error": "invalid_client"}', False),
    ],
)
def test_refusals_come_in_every_shape(status: int, content: bytes, ends: bool) -> None:
    with pytest.raises(Refused) as raised:
        read_grant(provider(), status, content)
    assert raised.value.ends_the_grant is ends


def test_texts_of_providers_can_be_stored_and_shown() -> None:
    odd = b'{"access_token": "a", "scope": ["r\\u0000ead", "\\ud800", 7, "x\\ny"], "email": "a\\u0000da\\ud800"}'
    grant = read_grant(provider(), 200, odd)
    assert grant.scopes == ("read", "\N{REPLACEMENT CHARACTER}", "xy")
    assert name_in(Identity(), [grant.about]) == "ada\N{REPLACEMENT CHARACTER}"
    with pytest.raises(Refused) as raised:
        read_grant(
            provider(), 400, b'{"error": "invalid_grant\\u0000", "error_description": "gone\\u0000\\n for good"}'
        )
    assert str(raised.value) == "The provider refuses: invalid_grant (gone for good)"
    assert raised.value.ends_the_grant
    assert not is_secure("https://a.test/\0")


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'"x"', b"\xff\xfe", b"{" * 5000, b'{"access_token": 7}', b'{"access_token": ""}']
)
def test_nonsense_is_no_grant(content: bytes) -> None:
    with pytest.raises(OAuthError):
        read_grant(provider(), 200, content)


@pytest.mark.parametrize(
    ("wanted", "granted", "missing"),
    [
        (["https://graph.microsoft.com/Mail.Read", "offline_access"], ["mail.read"], []),
        (["openid", "email", "a"], ["https://www.googleapis.com/auth/userinfo.email", "a"], []),
        (["https://x.test/auth/drive", "b"], ["https://x.test/auth/drive.file"], ["https://x.test/auth/drive", "b"]),
        (["a"], None, []),
    ],
)
def test_missing_scopes_are_those_that_were_not_granted(
    wanted: list[str], granted: list[str] | None, missing: list[str]
) -> None:
    assert missing_scopes(wanted, granted) == missing


def test_a_name_is_found_wherever_a_provider_tells_it() -> None:
    token = jwt.encode({"email": "ada@example.test"}, "k" * 32)
    identity = Identity(names=("email", "team.name"))
    assert name_in(identity, [{}, claims_of({"id_token": token})]) == "ada@example.test"
    assert name_in(identity, [{"email": 7}, {"team": {"name": "Engines"}}]) == "Engines"
    assert name_in(identity, [claims_of({"id_token": "no.token"}), {"team": None}]) is None


def test_a_device_is_sent_to_secure_addresses_alone() -> None:
    code = b'{"device_code": "d", "user_code": "U-1", "verification_url": "https://g.test/device", "interval": "-1"}'
    found = read_device_code(provider(), 200, code)
    assert (found.url, found.complete_url, found.interval, found.life) == ("https://g.test/device", None, 5, 600)
    with pytest.raises(OAuthError):
        read_device_code(provider(), 200, code.replace(b"https", b"javascript"))


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://a.test", True),
        ("http://127.0.0.1:1", True),
        ("http://a.test", False),
        ("https://", False),
        ("x", False),
    ],
)
def test_secrets_go_by_https_or_stay_here(url: str, secure: bool) -> None:
    assert is_secure(url) is secure


def test_an_operator_registers_clients_as_json_or_in_a_file(tmp_path: Path) -> None:
    written = '{"google": {"clientId": "of-all", "clientSecret": "hush"}}'
    (tmp_path / "clients.json").write_text(written)
    for text in (written, str(tmp_path / "clients.json")):
        assert read_clients(text) == {"google": Client("of-all", "hush")}
    assert read_clients(" ") == {}
    for wrong in ("{", "[]", '{"google": "hush"}', '{"google": {}}', "/nowhere", '{"a": 1}'):
        with pytest.raises(ValidationError) as raised:
            Settings(_env_file=None, oauth_clients_setting=wrong)
        assert "hush" not in str(raised.value.errors(include_input=False))
