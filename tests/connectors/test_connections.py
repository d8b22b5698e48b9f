"""What a connection's own try tells, against real servers; and what connectors keep to themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_httpserver import HTTPServer

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import (
    ConnectorError,
    StepContext,
)
from tests.connectors.running import run
from tests.services.smtp import Inbox, only_ada, serving

MakeContext = Callable[..., StepContext]


def check(name: str, config: dict[str, Any], context: StepContext) -> bool:
    return load_catalog().connection_kinds[name].try_out(config, context)


class TestSmtp:
    @contextmanager
    def account(self, inbox: Inbox) -> Iterator[dict[str, Any]]:
        with serving(inbox, authenticator=only_ada, auth_require_tls=False) as port:
            account = {"host": "127.0.0.1", "port": port, "security": "none"}
            yield {**account, "username": "ada", "password": "s3cret"}

    def test_signs_in_and_sends_nothing(self, inbox: Inbox, context: StepContext) -> None:
        with self.account(inbox) as account:
            assert check("smtp", account, context)
        assert inbox.mails == []

    def test_a_wrong_password_is_told_and_not_quoted(self, inbox: Inbox, context: StepContext) -> None:
        with self.account(inbox) as account, pytest.raises(ConnectorError, match="user name or password") as caught:
            check("smtp", {**account, "password": "wr0ng-word"}, context)
        assert "wr0ng-word" not in str(caught.value)

    def test_a_server_inside_the_network_is_not_reached(self, inbox: Inbox, make_context: MakeContext) -> None:
        with self.account(inbox) as account, pytest.raises(ConnectorError):
            check("smtp", account, make_context(networks=""))

    def test_without_a_server_there_is_nothing_to_sign_in_to(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError, match="name of the SMTP server is missing"):
            check("smtp", {"username": "ada"}, context)


class TestSlack:
    def test_asks_slack_whose_token_it_is(self, httpserver: HTTPServer, slack_context: StepContext) -> None:
        asked = httpserver.expect_request("/api/auth.test", method="POST", headers={"Authorization": "Bearer xoxb-1"})
        asked.respond_with_json({"ok": True, "team": "Team"})
        assert check("slack", {"botToken": "xoxb-1"}, slack_context)

    @pytest.mark.parametrize(
        ("answer", "reason"), [({"ok": False, "error": "invalid_auth"}, "invalid_auth"), ([], "no JSON")]
    )
    def test_a_refusal_is_told(
        self, httpserver: HTTPServer, slack_context: StepContext, answer: Any, reason: str
    ) -> None:
        httpserver.expect_request("/api/auth.test").respond_with_json(answer)
        with pytest.raises(ConnectorError, match=f"refused the bot token: {reason}"):
            check("slack", {"botToken": "xoxb-1"}, slack_context)

    def test_a_webhook_is_not_tried_for_that_would_post(
        self, httpserver: HTTPServer, slack_context: StepContext
    ) -> None:
        assert not check("slack", {"webhookUrl": httpserver.url_for("/hook")}, slack_context)
        assert httpserver.log == []

    def test_a_webhook_signs_no_other_request(self, httpserver: HTTPServer, context: StepContext) -> None:
        slack = load_catalog().connection_kinds["slack"].read({"webhookUrl": httpserver.url_for("/hook")}, context)
        with pytest.raises(ConnectorError, match="the connection has no bot token"):
            run("HTTP_REQUEST", {"url": httpserver.url_for("/")}, replace(context, connection=slack))
        assert httpserver.log == []


class TestGoogle:
    @pytest.fixture
    def key(self) -> str:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        unencrypted = serialization.NoEncryption()
        return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted).decode()

    def account(self, httpserver: HTTPServer, key: str, who: str) -> dict[str, Any]:
        told = {"client_email": who, "private_key": key, "token_uri": httpserver.url_for("/token")}
        return {"serviceAccount": json.dumps(told)}

    def test_asks_for_a_token(self, httpserver: HTTPServer, context: StepContext, key: str) -> None:
        httpserver.expect_request("/token").respond_with_json({"access_token": "t", "expires_in": 3600})
        assert check("google", self.account(httpserver, key, "good@x.test"), context)
        assert len(httpserver.log) == 1

    def test_a_refusal_is_told(self, httpserver: HTTPServer, context: StepContext, key: str) -> None:
        httpserver.expect_request("/token").respond_with_json({"error": "invalid_grant"}, status=400)
        with pytest.raises(ConnectorError):
            check("google", self.account(httpserver, key, "bad@x.test"), context)

    def test_what_is_no_key_file_is_told_and_not_quoted(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError) as caught:
            check("google", {"serviceAccount": "not-a-key-file"}, context)
        assert "not-a-key-file" not in str(caught.value)


def test_what_basic_authentication_sends_is_kept_secret(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "username": "ada", "password": "hush-hush"}, context)
    assert context.secrets == [base64.b64encode(b"ada:hush-hush").decode()]
