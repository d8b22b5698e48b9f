"""Each connector against a real server."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib.resources import files
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_httpserver import HTTPServer
from werkzeug import Response

from flowforge import jsonio
from flowforge.connectors.catalog import UnknownAction, load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext, token_key
from flowforge.secrets import MASK, Vault, mask_values, new_key
from tests.connectors.running import run

catalog = load_catalog()


class TestSlack:
    @pytest.mark.parametrize("key", ["webhookUrl", "webhook_url"])
    @pytest.mark.parametrize("text", ["message", "text"])
    def test_posts_to_an_incoming_webhook(
        self, httpserver: HTTPServer, context: StepContext, key: str, text: str
    ) -> None:
        httpserver.expect_oneshot_request("/hook", method="POST", json={"text": "hi"}).respond_with_data("ok")
        output = run("SLACK_MESSAGE", {key: httpserver.url_for("/hook"), text: "hi"}, context)
        assert output == {"delivered": True, "statusCode": 200, "sent": True}

    def test_sends_everything_it_knows_where_no_text_is_given(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        httpserver.expect_request("/hook").respond_with_data("ok")
        run("slack_message", {"webhookUrl": httpserver.url_for("/hook")}, context)
        request, _ = httpserver.log[-1]
        assert json.loads(request.json["text"]) == {"trigger": {"body": {"order": 17}}, "steps": {}}

    def test_uses_a_bot_token(self, httpserver: HTTPServer, slack_context: StepContext) -> None:
        httpserver.expect_request("/api/chat.postMessage", headers={"Authorization": "Bearer xoxb"}).respond_with_json(
            {"ok": True, "channel": "C1", "ts": "1.2"}
        )
        output = run("SLACK_MESSAGE", {"botToken": "xoxb", "channel": "#a", "message": "hi"}, slack_context)
        assert output["ts"] == "1.2"

    @pytest.mark.parametrize(("reason", "permanent"), [("channel_not_found", True), ("ratelimited", False)])
    def test_a_refusal_of_slack_is_a_failure_though_it_answers_200(
        self, httpserver: HTTPServer, slack_context: StepContext, reason: str, permanent: bool
    ) -> None:
        httpserver.expect_request("/api/chat.postMessage").respond_with_json({"ok": False, "error": reason})
        with pytest.raises(ConnectorError, match=reason) as caught:
            run("SLACK_MESSAGE", {"botToken": "x", "channel": "#a"}, slack_context)
        assert caught.value.permanent is permanent

    def test_a_missing_url_is_named(self) -> None:
        with pytest.raises(ConnectorError, match="webhookUrl is required"):
            catalog.get("SLACK_MESSAGE").parse({"message": "hi"})


class TestHttpRequest:
    def test_gives_status_headers_and_body(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/a", query_string="q=1", json={"n": 1}).respond_with_json({"id": 7}, status=201)
        config = {"method": "POST", "url": httpserver.url_for("/a"), "query": {"q": 1}, "body": {"n": 1}}
        output = run("HTTP_REQUEST", config, context)
        assert (output["status"], output["body"]) == (201, {"id": 7})

    def test_signs_in(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/", headers={"Authorization": "Basic YTpi"}).respond_with_data("yes")
        url = httpserver.url_for("/")
        assert run("HTTP_REQUEST", {"url": url, "username": "a", "password": "b"}, context)["body"] == "yes"

    def test_an_error_status_can_be_taken_as_an_answer(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/").respond_with_data("gone", status=410)
        output = run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "failOnStatus": False}, context)
        assert output["status"] == 410


class TestGoogleSheets:
    @pytest.fixture
    def append(self) -> dict[str, object]:
        """Google's own description of the call."""
        document = files("googleapiclient.discovery_cache").joinpath("documents", "sheets.v4.json").read_text()
        resources = json.loads(document)["resources"]["spreadsheets"]["resources"]
        method: dict[str, object] = resources["values"]["methods"]["append"]
        return method

    @pytest.mark.parametrize(
        ("values", "rows"), [([["a", 1], ["b", 2]], [["a", 1], ["b", 2]]), (["a", 1], [["a", 1]]), ("a", [["a"]])]
    )
    def test_appends_as_google_describes_it(
        self, httpserver: HTTPServer, context: StepContext, append: dict[str, object], values: object, rows: object
    ) -> None:
        httpserver.expect_request("/v4/spreadsheets/id%2F1/values/Log%21A1:append").respond_with_json({})
        httpserver.expect_request("/v4/spreadsheets/id/1/values/Log!A1:append", method="POST").respond_with_json(
            {"updates": {"updatedRange": "Log!A9"}}
        )
        config = {"spreadsheetId": "id/1", "range": "Log!A1", "apiKey": "k", "values": values}
        output = run("GOOGLE_SHEET_ROW", config | {"endpoint": httpserver.url_for("").rstrip("/")}, context)
        assert output["updatedRange"] == "Log!A9"
        request, _ = httpserver.log[-1]
        assert request.method == append["httpMethod"]
        assert request.environ["REQUEST_URI"].partition("?")[0] == "/v4/spreadsheets/id%2F1/values/Log%21A1:append"
        assert append["flatPath"] == "v4/spreadsheets/{spreadsheetId}/values/{range}:append"
        assert set(request.args) - {"key"} <= set(append["parameters"])  # type: ignore[call-overload]
        assert request.json == {"values": rows}

    def test_signs_in_as_a_service_account(self, httpserver: HTTPServer, context: StepContext) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        account = {"client_email": "a@b", "private_key": pem, "token_uri": httpserver.url_for("/token")}
        httpserver.expect_request("/token", method="POST").respond_with_json({"access_token": "t", "expires_in": 3600})
        httpserver.expect_request(
            "/v4/spreadsheets/s/values/A1:append", headers={"Authorization": "Bearer t"}
        ).respond_with_json({"updates": {"updatedRange": "A1"}})
        config = {"spreadsheetId": "s", "range": "A1", "values": ["x"], "serviceAccount": account}
        output = run("GOOGLE_SHEET_ROW", config | {"endpoint": httpserver.url_for("").rstrip("/")}, context)
        assert output["updatedRange"] == "A1"

    def test_a_kept_token_is_for_who_holds_the_key(self, httpserver: HTTPServer, context: StepContext) -> None:
        """Whose service account it is, is known to many."""
        context.tools.tokens.keep(token_key(context.user_id, "{}"), "somebody's token", time.time() + 3600)
        account = {"client_email": "a@b", "private_key": "not even a key", "token_uri": httpserver.url_for("/token")}
        config = {"spreadsheetId": "s", "range": "A1", "values": ["x"], "serviceAccount": account}
        for user_id in (context.user_id, uuid4()):
            with pytest.raises(ConnectorError, match="private key in serviceAccount cannot be used"):
                run(
                    "GOOGLE_SHEET_ROW",
                    config | {"endpoint": httpserver.url_for("").rstrip("/")},
                    replace(context, user_id=user_id),
                )
        assert httpserver.log == []

    def test_two_who_hold_different_keys_of_one_account_do_not_share(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        tokens = iter(["first", "second"])
        httpserver.expect_request("/token").respond_with_handler(
            lambda _: Response(
                jsonio.dumps({"access_token": next(tokens), "expires_in": 3600}), mimetype="application/json"
            )
        )
        httpserver.expect_request("/v4/spreadsheets/s/values/A1:append").respond_with_json({"updates": {}})
        for _ in range(2):
            pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            account = {"client_email": "a@b", "private_key": pem.decode(), "token_uri": httpserver.url_for("/token")}
            config = {"spreadsheetId": "s", "range": "A1", "values": ["x"], "serviceAccount": account}
            run("GOOGLE_SHEET_ROW", config | {"endpoint": httpserver.url_for("").rstrip("/")}, context)
        sent = [request.headers["Authorization"] for request, _ in httpserver.log if "append" in request.path]
        assert sent == ["Bearer first", "Bearer second"]


def test_transform_gives_what_it_is_given(context: StepContext) -> None:
    assert run("TRANSFORM", {"output": {"a": 1}}, context) == {"a": 1}


class TestCatalog:
    def test_an_unknown_type_names_the_nearest(self) -> None:
        with pytest.raises(UnknownAction, match="did you mean SLACK_MESSAGE"):
            catalog.get("SLACK_MESAGE")

    def test_fields_that_hold_expressions_are_not_judged_yet(self) -> None:
        assert catalog.validate("SEND_EMAIL", {"to": ["a@b"], "port": "{{ trigger.port }}"}, "/actions/0") == []
        [problem] = catalog.validate("SEND_EMAIL", {"to": ["a@b"], "port": "x"}, "/actions/0")
        assert problem.pointer == "/actions/0/config/port"

    def test_a_problem_of_the_whole_config_points_to_it(self) -> None:
        [problem] = catalog.validate("SLACK_MESSAGE", {}, "/actions/1")
        assert (problem.pointer, problem.message) == ("/actions/1/config", "webhookUrl is required (or botToken)")

    def test_every_connector_helps_the_person_who_uses_it(self) -> None:
        assert catalog.disabled == {}
        for type_ in catalog.types():
            connector = catalog.get(type_)
            assert connector.title
            assert connector.help
            assert all("title" in field for field in connector.config_schema()["properties"].values())

    def test_secrets_are_sealed_masked_kept_and_opened(self) -> None:
        vault = Vault([new_key()])
        sealed = catalog.seal("SLACK_MESSAGE", {"webhookUrl": "https://s/1", "message": "m"}, vault, None)
        assert "https://s/1" not in json.dumps(sealed)
        assert catalog.mask("SLACK_MESSAGE", sealed) == {"webhookUrl": MASK, "message": "m"}
        kept = catalog.seal("SLACK_MESSAGE", {"webhookUrl": MASK}, vault, sealed)
        assert catalog.open("SLACK_MESSAGE", kept, vault) == {"webhookUrl": "https://s/1"}

    def test_secrets_in_texts_are_masked_plain_and_encoded(self) -> None:
        masked = mask_values({"m": ["see https://s/1 or https%3A%2F%2Fs%2F1"]}, ["https://s/1"])
        assert masked == {"m": [f"see {MASK} or {MASK}"]}
