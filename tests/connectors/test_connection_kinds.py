"""A connection kind as somebody else might declare it: fields, signing, renewal, sessions, tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from urllib3.util import parse_url
from werkzeug import Request as Received
from werkzeug import Response as Answer

from flowforge.connectors.catalog import load_catalog, read_catalog
from flowforge.connectors.http_client.signing import Signer
from flowforge.connectors.saved_connection import SavedConnection
from flowforge.connectors.sdk import (
    CONNECTION,
    ConnectionKind,
    Connector,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    Request,
    Response,
    StepContext,
    TlsIdentity,
    connector,
    secret,
    token_key,
)


class ShopKey(ConnectorConfig):
    api_key: str = secret(title="API key")


def sign(request: Request, credentials: Credentials[ShopKey]) -> Request:
    """With the token that was given for the key last."""
    key = token_key(credentials.context.user_id, credentials.config.api_key)
    token = credentials.context.tools.tokens.get(key) or "expired"
    return request.with_headers({"X-Token": token}).with_query(shop="7")


def renew(refusal: Response, credentials: Credentials[ShopKey]) -> bool:
    key = token_key(credentials.context.user_id, credentials.config.api_key)
    credentials.context.tools.tokens.keep(key, refusal.headers["x-next"], float("inf"))
    return True


def shop(**parts: Any) -> ConnectionKind[ShopKey]:
    declared = {"title": "Shop", "help": "Its key.", "icon": "key", "sign": sign, "renew": renew}
    return ConnectionKind("shop", ShopKey, **{**declared, **parts})


class Order(ShopKey):
    order: int


class Call(ConnectorConfig):
    url: str


SHOP = shop()


@connector("SHOP_ORDER", Order, title="Order", help="", icon="table", connections=(SHOP,))
def shop_order(config: Order, context: StepContext) -> dict[str, Any]:
    return {"order": config.order}


@connector("SHOP_CALL", Call, title="Call", help="", icon="globe", connections=(SHOP,))
def shop_call(config: Call, context: StepContext) -> dict[str, Any]:
    response = context.tools.http.send(context, "POST", config.url, json={"n": 1}, signed_by=context.connection)
    return {"status": response.status}


def called(httpserver: HTTPServer, context: StepContext, kind: ConnectionKind[Any] = SHOP, path: str = "/") -> Any:
    credentials = kind.read({"apiKey": "k-1"}, context)
    config = shop_call.parse({"url": httpserver.url_for(path)})
    return shop_call.run_here(config, replace(context, connection=credentials))


def signer_of(saved: SavedConnection, connector: Connector[Any], context: StepContext) -> Signer:
    """What a step's requests are signed by."""
    given = saved.given_to(connector, context)
    config = connector.parse(saved.filled_in(connector, {"url": "https://x.test", "order": 1}))
    return given.connection or SHOP.credentials(config, given)


class TestSigning:
    def test_a_refused_token_is_renewed_once_and_the_request_sent_again(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        def answer(request: Received) -> Answer:
            return Answer("ok", 200 if request.headers["X-Token"] == "fresh" else 401, {"X-Next": "fresh"})

        httpserver.expect_request("/", query_string="shop=7", json={"n": 1}).respond_with_handler(answer)
        assert called(httpserver, context) == {"status": 200}
        assert called(httpserver, context) == {"status": 200}
        assert [request.headers["X-Token"] for request, _ in httpserver.log] == ["expired", "fresh", "fresh"]

    def test_a_refusal_that_renewal_does_not_help_is_the_answer(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        httpserver.expect_request("/").respond_with_data("no", status=401, headers={"X-Next": "worse"})
        assert called(httpserver, context) == {"status": 401}
        assert len(httpserver.log) == 2

    def test_a_kind_that_cannot_renew_is_not_tried_again(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/").respond_with_data("no", status=401)
        assert called(httpserver, context, shop(renew=None)) == {"status": 401}
        assert len(httpserver.log) == 1

    def test_a_redirect_within_the_origin_is_signed_too(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/old").respond_with_data("", status=307, headers={"Location": "/new"})
        httpserver.expect_request("/new", headers={"X-Token": "expired"}).respond_with_data("ok")
        assert called(httpserver, context, path="/old") == {"status": 200}

    def test_another_origin_gets_no_signature(self, httpserver: HTTPServer, context: StepContext) -> None:
        with HTTPServer(port=0) as other:
            other.expect_request("/new").respond_with_data("ok")
            moved = {"Location": other.url_for("/new")}
            httpserver.expect_request("/old").respond_with_data("", status=307, headers=moved)
            assert called(httpserver, context, path="/old") == {"status": 200}
            [(request, _)] = other.log
        assert "X-Token" not in request.headers
        assert request.query_string == b""

    def test_what_cannot_stand_in_a_header_is_refused_and_not_quoted(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        kind = shop(sign=lambda request, _: request.with_headers({"X-Token": "one\ntwo"}))
        with pytest.raises(ConnectorError, match="a header of the request is not valid") as caught:
            called(httpserver, context, kind)
        assert "two" not in str(caught.value)


class TestHosts:
    """SHOP_ORDER holds the fields itself, SHOP_CALL is given the credentials: both are bound."""

    @pytest.mark.parametrize("connector", [shop_call, shop_order], ids=["given", "filled in"])
    def test_secrets_are_sent_to_the_hosts_of_the_connection_alone(
        self, context: StepContext, connector: Connector[Any]
    ) -> None:
        saved = SavedConnection("my-shop", SHOP, {"apiKey": "k-1", "hosts": ["shop.test", "*.shop.test"]})
        signer = signer_of(saved, connector, context)
        for url in ("https://shop.test/", "http://eu.shop.test:8443/a?b", "https://SHOP.test./"):
            assert signer.sign(Request("GET", url, {}, b"")).headers["X-Token"] == "expired"
        for url in (
            "https://other.test/",
            "https://shop.test.other.test/",
            "https://notshop.test/",
            "https://shop.test@other.test/",
            "https://other.test/#@shop.test/",
            "https://other.test\\@shop.test/",
            "https://[::1]/",
        ):
            with pytest.raises(ConnectorError, match="the connection 'my-shop' is bound to") as caught:
                signer.sign(Request("GET", url, {}, b""))
            assert caught.value.permanent
            assert f"not sent to {parse_url(url).host}" in str(caught.value)

    def test_nothing_is_sent_to_another_host(self, httpserver: HTTPServer, context: StepContext) -> None:
        saved = SavedConnection("my-shop", SHOP, {"apiKey": "k-1", "hosts": ["shop.test"]})
        config = shop_call.parse({"url": httpserver.url_for("/")})
        with pytest.raises(ConnectorError, match=f"its secrets are not sent to {httpserver.host}"):
            shop_call.run_here(config, saved.given_to(shop_call, context))
        assert httpserver.log == []

    def test_a_kind_that_shows_a_certificate_is_bound_too(self, context: StepContext) -> None:
        kind = shop(sign=None, identify=lambda _: TlsIdentity(), renew=None)
        saved = SavedConnection("my-shop", kind, {"apiKey": "k-1", "hosts": ["shop.test"]})
        with pytest.raises(ConnectorError, match="is bound to"):
            signer_of(saved, shop_call, context).sign(Request("GET", "https://other.test/", {}, b""))

    def test_a_kind_that_signs_nothing_has_no_hosts(self) -> None:
        assert shop(sign=None, renew=None).fields == ("apiKey",)

    @pytest.mark.parametrize(
        "pattern", ["https://shop.test", "shop.test/path", "shop.*.test", "", "a b", "u@shop.test"]
    )
    def test_what_names_no_host_is_refused(self, pattern: str) -> None:
        [problem] = SHOP.problems({"apiKey": "k-1", "hosts": ["shop.test", pattern]}, "/config")
        assert problem.pointer == "/config/hosts/1"


class TestTrial:
    def test_a_kind_that_signs_is_tested_at_an_address(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/me", method="GET", headers={"X-Token": "expired"}).respond_with_data("ada")
        assert SHOP.try_out({"apiKey": "k-1", "testUrl": httpserver.url_for("/me")}, context)

    def test_an_answer_that_is_no_2xx_is_told(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/me").respond_with_data("no entry", status=403)
        with pytest.raises(ConnectorError, match="the address answered 403: no entry"):
            SHOP.try_out({"apiKey": "k-1", "testUrl": httpserver.url_for("/me")}, context)

    def test_without_an_address_there_is_nothing_to_test(self, context: StepContext) -> None:
        assert not SHOP.try_out({"apiKey": "k-1"}, context)
        assert not SHOP.can_test({"apiKey": "k-1"})

    def test_a_kind_with_a_test_of_its_own_has_no_address(self) -> None:
        assert "testUrl" in SHOP.fields
        assert "testUrl" not in shop(test=lambda _: True).fields

    def test_what_cannot_be_read_names_its_fields(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError, match="the connection cannot be used: apiKey: is required"):
            SHOP.try_out({}, context)


class TestSessions:
    def test_a_kind_opens_its_session(self, context: StepContext) -> None:
        @contextmanager
        def session(credentials: Credentials[ShopKey]) -> Iterator[str]:
            yield f"signed in with {credentials.config.api_key}"

        with shop(sign=None, open=session).read({"apiKey": "k-1"}, context).open() as opened:
            assert opened == "signed in with k-1"

    def test_a_kind_without_sessions_says_so(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError, match="kind shop cannot be opened"):
            SHOP.read({"apiKey": "k-1"}, context).open()


class TestSteps:
    def test_a_step_that_names_a_connection_misses_only_its_own_fields(self) -> None:
        assert [problem.pointer for problem in shop_order.problems({}, "")] == ["/apiKey", "/order"]
        assert [problem.pointer for problem in shop_order.problems({CONNECTION: "shop"}, "")] == ["/order"]

    def test_a_step_that_cannot_hold_credentials_needs_a_connection(self) -> None:
        [problem] = shop_call.problems({"url": "https://x.test"}, "/config")
        assert (problem.pointer, problem.message) == ("/config/connection", "is required")
        assert shop_call.problems({"url": "https://x.test", CONNECTION: "shop"}, "/config") == []

    def test_a_connection_fills_in_what_the_step_leaves_empty(self, context: StepContext) -> None:
        saved = SavedConnection("shop", SHOP, {"apiKey": "of-connection", "testUrl": "https://x.test"})
        assert saved.filled_in(shop_order, {"order": 1, "apiKey": ""}) == {"order": 1, "apiKey": "of-connection"}
        assert saved.filled_in(shop_order, {"order": 1, "apiKey": "own"}) == {"order": 1, "apiKey": "own"}
        assert saved.given_to(shop_order, context).connection is None

    def test_a_step_that_cannot_hold_them_is_given_the_credentials(self, context: StepContext) -> None:
        saved = SavedConnection("shop", SHOP, {"apiKey": "of-connection"})
        assert saved.filled_in(shop_call, {"url": "https://x.test"}) == {"url": "https://x.test"}
        given = saved.given_to(shop_call, context).connection
        assert isinstance(given, Credentials)
        assert given.config == ShopKey(api_key="of-connection")


class TestDeclaration:
    def test_its_schema_says_what_is_secret_and_required(self) -> None:
        schema = SHOP.config_schema()
        assert schema["properties"]["apiKey"]["secret"] is True
        assert schema["required"] == ["apiKey"]

    def test_the_fields_that_a_step_shares_with_it_come_last_under_its_title(self) -> None:
        properties = shop_order.config_schema()["properties"]
        assert list(properties) == ["order", "apiKey"]
        assert properties["apiKey"]["group"] == "Shop"

    def test_its_icon_is_one_of_the_sprite(self) -> None:
        with pytest.raises(ValueError, match="there is no icon 'cart'"):
            shop(icon="cart")

    def test_a_name_is_taken_once(self) -> None:
        catalog = read_catalog(["tests.connectors.test_connection_kinds", "tests.connectors.package_with_other_shop"])
        assert catalog.connection_kinds == {"shop": SHOP}
        assert catalog.types() == ["SHOP_CALL", "SHOP_ORDER"]
        [reason] = catalog.disabled.values()
        assert reason == "ValueError: there is another kind of connections by the name 'shop' already"

    def test_a_connector_of_any_signer_takes_every_kind_that_signs(self) -> None:
        catalog = read_catalog(["flowforge.connectors.actions.http_request", __name__])
        call_any = replace(shop_call, any_signer=True, connections=())
        assert catalog.kinds_for(catalog.get("HTTP_REQUEST")) == [catalog.connection_kinds["http"], SHOP]
        assert catalog.kind_for(call_any, "shop") is SHOP
        assert call_any.problems({"url": "https://x.test"}, "/config") == []
        assert not call_any.takes(shop(sign=None, renew=None))

    @pytest.mark.parametrize("found", load_catalog().connectors(), ids=lambda found: found.type)
    def test_every_kind_that_a_connector_takes_is_in_the_catalog(self, found: Connector[Any]) -> None:
        for kind in found.connections:
            assert load_catalog().connection_kinds[kind.type] is kind
