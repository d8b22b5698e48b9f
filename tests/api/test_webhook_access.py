"""What the trigger of a webhook declares: who may call it, how, and from where."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine
from werkzeug import Request, Response

from flowforge.wiring import Backends
from tests.api.test_triggers import lay_back
from tests.api.things import TRIGGERS, WORKFLOWS, accepted_events, stored_trigger, trigger, workflow
from tests.people import Person
from tests.statements import counting_statements
from tests.triggers.webhook_calls import hexadecimal, in_base64
from webapp import create_app

SECRET = "quite a long secret"
BODY = b'{"id":"evt_1","order":17}'
JSON = {"Content-Type": "application/json"}
SHOP = "https://shop.example"

Hooked = Callable[..., dict[str, Any]]


@pytest.fixture
def hooked(client: FlaskClient, owner: Person) -> Hooked:
    """Make a webhook with the configuration that is given; what comes back has its `address`, too."""

    def make(**configuration: Any) -> dict[str, Any]:
        made = trigger(client, owner, workflow(client, owner)["id"], configuration=configuration)
        return {**made, "address": f"/webhook/{made['webhookToken']}"}

    return make


def stripe(body: bytes = BODY, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    moment = int(at if at is not None else time.time())
    return {**JSON, "Stripe-Signature": f"t={moment},v1={hexadecimal(secret, f'{moment}.'.encode() + body)}"}


def github(body: bytes = BODY) -> dict[str, str]:
    return {**JSON, "X-Hub-Signature-256": "sha256=" + hexadecimal(SECRET, body)}


class TestMethods:
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_that_are_declared_are_taken(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, method: str
    ) -> None:
        address = hooked(methods=[method])["address"]

        assert client.open(address, method=method, json={"order": 17}).status_code == 200
        (event,) = accepted_events(engine)
        assert (event.payload["method"], event.payload["body"]) == (method, {"order": 17})

    def test_that_are_not_declared_are_refused_and_those_that_are_named(
        self, client: FlaskClient, hooked: Hooked, engine: Engine
    ) -> None:
        address = hooked(methods=["POST", "PUT"])["address"]

        for method in ("GET", "HEAD", "PATCH", "DELETE"):
            answer = client.open(address, method=method)
            assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"POST", "PUT", "OPTIONS"})
        assert accepted_events(engine) == []


class TestOrigins:
    @pytest.fixture
    def address(self, hooked: Hooked) -> str:
        return str(hooked(allowedOrigins=[SHOP, "http://127.0.0.1:5173"], methods=["POST", "PUT"])["address"])

    @pytest.mark.parametrize("origin", [SHOP, SHOP.upper(), "http://127.0.0.1:5173"])
    def test_may_call_as_their_preflight_is_told(
        self, client: FlaskClient, address: str, engine: Engine, origin: str
    ) -> None:
        asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type, x-one"}
        answer = client.options(address, headers={"Origin": origin, **asked})

        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Methods"] == "POST, PUT"
        assert answer.headers["Access-Control-Allow-Headers"] == "content-type, x-one"
        assert "Origin" in answer.headers["Vary"]
        assert accepted_events(engine) == []

    def test_may_read_the_answer_also_where_it_is_an_error(self, client: FlaskClient, address: str) -> None:
        taken = client.post(address, json={}, headers={"Origin": SHOP})
        refused = client.post(address, data=b"{", headers={"Origin": SHOP, **JSON})

        assert (taken.status_code, refused.status_code) == (200, 400)
        assert {one.headers["Access-Control-Allow-Origin"] for one in (taken, refused)} == {SHOP}

    @pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "null"])
    def test_that_are_not_declared_are_kept_out(
        self, client: FlaskClient, address: str, engine: Engine, origin: str
    ) -> None:
        asked = client.options(address, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        called = client.post(address, json={}, headers={"Origin": origin})

        assert called.status_code == 403
        assert not any("Access-Control-Allow-Origin" in one.headers for one in (asked, called))
        assert accepted_events(engine) == []

    def test_do_not_concern_programs(self, client: FlaskClient, address: str) -> None:
        assert client.post(address, json={}).status_code == 200

    def test_may_be_all(self, client: FlaskClient, hooked: Hooked) -> None:
        answer = client.post(
            hooked(allowedOrigins=["*"])["address"], json={}, headers={"Origin": "https://any.example"}
        )
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")

    def test_that_nobody_declares_share_nothing(self, client: FlaskClient, hooked: Hooked) -> None:
        answer = client.options(hooked()["address"], headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"})
        assert (answer.status_code, answer.data) == (200, b"")
        assert "Access-Control-Allow-Origin" not in answer.headers


class TestAddresses:
    @pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", " 127.0.0.1/32 "])
    def test_within_a_range_may_call(self, client: FlaskClient, hooked: Hooked, allowed: str) -> None:
        assert client.post(hooked(allowedAddresses=["2001:db8::/32", allowed])["address"]).status_code == 200

    def test_may_be_written_as_ipv6(self, client: FlaskClient, hooked: Hooked) -> None:
        address = hooked(allowedAddresses=["203.0.113.0/24"])["address"]
        as_ipv6 = {"REMOTE_ADDR": "::ffff:203.0.113.9"}
        assert client.post(address, environ_overrides=as_ipv6).status_code == 200

    @pytest.mark.parametrize("caller", ["203.0.114.1", "2001:db8::1", "", "somewhere"])
    def test_of_others_may_not(self, client: FlaskClient, hooked: Hooked, engine: Engine, caller: str) -> None:
        address = hooked(allowedAddresses=["203.0.113.0/24"])["address"]
        claimed = {"X-Forwarded-For": "203.0.113.9"}
        assert client.post(address, headers=claimed, environ_overrides={"REMOTE_ADDR": caller}).status_code == 403
        assert accepted_events(engine) == []


class TestASlashAtTheEnd:
    def test_is_no_part_of_the_token(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        hook = hooked()
        for _ in range(2):
            assert client.post(hook["address"] + "/", json={}).json["triggerId"] == hook["id"]
        assert len(accepted_events(engine)) == 2

    def test_belongs_to_a_token_that_has_one(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        plain, slashed = hooked(), hooked()
        lay_back(engine, plain["id"], webhook_token="demo")
        lay_back(engine, slashed["id"], webhook_token="demo/")
        assert client.post("/webhook/demo/").json["triggerId"] == slashed["id"]
        assert client.post("/webhook/demo").json["triggerId"] == plain["id"]

    def test_alone_is_no_token(self, client: FlaskClient) -> None:
        assert client.post("/webhook/nobody/").status_code == 404


class TestDeliveries:
    @pytest.mark.parametrize(
        ("configuration", "header"),
        [
            ({"deliveryHeader": "X-Shopify-Webhook-Id"}, "X-Shopify-Webhook-Id"),
            ({"auth": "gitlab", "secret": SECRET}, "Idempotency-Key"),
            ({"auth": "header", "secret": SECRET, "deliveryHeader": "X-Event"}, "X-Event"),
            ({"auth": "github", "secret": SECRET, "sameBodyAgain": True}, "X-GitHub-Delivery"),
        ],
    )
    def test_count_once(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, configuration: dict[str, Any], header: str
    ) -> None:
        address = hooked(**configuration)["address"]
        proof = {"X-Gitlab-Token": SECRET, "Authorization": SECRET}
        bodies = [b'{"try":1}', b'{"try":2}', b'{"try":3}']
        ids = ["b54557e4", "b54557e4", "another"]
        answers = [
            client.post(address, data=body, headers=github(body) | proof | {header: id_})
            for body, id_ in zip(bodies, ids, strict=True)
        ]

        assert [one.status_code for one in answers] == [200] * 3
        assert answers[0].json["eventId"] == answers[1].json["eventId"] != answers[2].json["eventId"]
        assert len(accepted_events(engine)) == 2

    def test_may_have_names_of_any_length(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(deliveryHeader="X-Id")["address"]
        for id_ in ("a" * 5_000, "a" * 5_000, "a" * 5_001, "\x7f\xff"):
            assert client.post(address, headers={"X-Id": id_}).status_code == 200
        assert len(accepted_events(engine)) == 3

    def test_without_a_name_count_each(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(deliveryHeader="X-Id")["address"]
        for headers in ({}, {}, {"X-Id": ""}):
            client.post(address, headers=headers)
        assert len(accepted_events(engine)) == 3

    def test_in_the_body_are_known_by_what_is_signed(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(auth="telegram", secret=SECRET)["address"]
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        for number in (7, 7, 8):
            client.post(address, json={"update_id": number}, headers=headers)
        assert len(accepted_events(engine)) == 2


class TestReplays:
    @pytest.fixture
    def address(self, hooked: Hooked) -> str:
        return str(hooked(auth="stripe", secret=SECRET)["address"])

    def test_of_a_signed_time_are_refused(self, client: FlaskClient, address: str, engine: Engine) -> None:
        headers = stripe()
        assert client.post(address, data=BODY, headers=headers).status_code == 200
        replayed = client.post(f"{address}?amount=1000000", data=BODY, headers=headers | {"Idempotency-Key": "mine"})
        assert (replayed.status_code, "before" in replayed.json["message"]) == (409, True)
        assert len(accepted_events(engine)) == 1

    def test_are_not_the_tries_of_an_honest_sender(self, client: FlaskClient, address: str, engine: Engine) -> None:
        now = time.time()
        first = client.post(address, data=BODY, headers=stripe(at=now - 60))
        again = client.post(address, data=BODY, headers=stripe(at=now))
        assert (again.status_code, again.json) == (200, first.json)
        assert len(accepted_events(engine)) == 1

    def test_without_an_id_are_told_by_what_is_signed(
        self, client: FlaskClient, hooked: Hooked, engine: Engine
    ) -> None:
        address = hooked(auth="zoom", secret=SECRET)["address"]
        now = int(time.time())

        def signed(at: int) -> dict[str, str]:
            signature = "v0=" + hexadecimal(SECRET, f"v0:{at}:".encode() + BODY)
            return {**JSON, "x-zm-request-timestamp": str(at), "x-zm-signature": signature}

        answers = [client.post(address, data=BODY, headers=signed(at)) for at in (now - 1, now - 1, now)]
        assert [one.status_code for one in answers] == [200, 409, 200]
        assert len(accepted_events(engine)) == 2

    def test_of_a_signed_body_get_the_first_answer(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(auth="github", secret=SECRET)["address"]
        first = client.post(address, data=BODY, headers=github() | {"X-GitHub-Delivery": "1"})
        again = client.post(address, data=BODY, headers=github() | {"X-GitHub-Delivery": "chosen"})
        assert again.json == first.json
        assert len(accepted_events(engine)) == 1

    def test_of_last_week_are_refused(self, client: FlaskClient, address: str, engine: Engine) -> None:
        answer = client.post(address, data=BODY, headers=stripe(at=time.time() - 7 * 86_400))
        assert answer.status_code == 401
        assert accepted_events(engine) == []


class TestHandshakes:
    @pytest.mark.parametrize(
        ("configuration", "call", "answer"),
        [
            (
                {"auth": "meta", "secret": SECRET, "verifyToken": "a word"},
                {"query_string": {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "17"}},
                b"17",
            ),
            (
                {"auth": "slack", "secret": SECRET},
                {"method": "POST", "json": {"type": "url_verification", "challenge": "3eZbrw1aB"}},
                b"3eZbrw1aB",
            ),
            (
                {"auth": "microsoft", "secret": SECRET},
                {"method": "POST", "query_string": {"validationToken": "a token"}},
                b"a token",
            ),
            (
                {"auth": "zoom", "secret": SECRET},
                {"method": "POST", "json": {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}},
                json.dumps(
                    {"plainToken": "abc", "encryptedToken": hexadecimal(SECRET, b"abc")}, separators=(",", ":")
                ).encode(),
            ),
        ],
    )
    def test_are_answered_and_start_nothing(
        self,
        client: FlaskClient,
        hooked: Hooked,
        engine: Engine,
        configuration: dict[str, Any],
        call: dict[str, Any],
        answer: bytes,
    ) -> None:
        hook = hooked(**configuration, respond="by a RESPOND step")
        said = client.open(hook["address"], **call)

        assert (said.status_code, said.data) == (200, answer)
        assert said.headers["X-Content-Type-Options"] == "nosniff"
        assert accepted_events(engine) == []

    def test_do_not_open_the_webhook(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(auth="meta", secret=SECRET, verifyToken="a word")["address"]
        wrong = {"hub.mode": "subscribe", "hub.verify_token": "another", "hub.challenge": "17"}
        assert client.get(address, query_string=wrong).status_code == 401
        assert client.post(address, data=BODY, headers=JSON).status_code == 401
        assert client.post(address, data=BODY, headers=github()).status_code == 200
        assert len(accepted_events(engine)) == 1

    def test_come_by_the_method_that_the_provider_wants(self, client: FlaskClient, hooked: Hooked) -> None:
        address = hooked(auth="meta", secret=SECRET, verifyToken="a word", methods=["POST"])["address"]
        query = {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "17"}
        assert client.get(address, query_string=query).data == b"17"
        assert client.get(address).status_code == 405

    def test_that_hand_out_a_secret_have_it_kept(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, owner: Person
    ) -> None:
        hook = hooked(auth="asana")
        signed = {**JSON, "X-Hook-Signature": hexadecimal("of Asana's own", BODY)}
        assert client.post(hook["address"], data=BODY, headers=signed).status_code == 401

        shaken = client.post(hook["address"], headers={"X-Hook-Secret": "of Asana's own"})
        assert (shaken.status_code, shaken.headers["X-Hook-Secret"]) == (200, "of Asana's own")
        assert client.post(hook["address"], data=BODY, headers=signed).status_code == 200
        assert client.post(hook["address"], headers={"X-Hook-Secret": "of somebody else"}).status_code == 401

        assert len(accepted_events(engine)) == 1
        assert stored_trigger(engine, hook["id"]).configuration["secret"].startswith("enc:v1:")
        (shown,) = client.get(f"{TRIGGERS}/workflow/{hook['workflowId']}", headers=owner.headers).json
        assert shown["configuration"]["secret"] == "********"

    def test_that_hand_out_a_secret_outlive_a_saving_of_the_workflow(
        self, client: FlaskClient, engine: Engine, owner: Person
    ) -> None:
        wanted = {"type": "webhook", "config": {"auth": "asana"}}
        made = workflow(client, owner, trigger=wanted)
        place = f"{TRIGGERS}/workflow/{made['id']}"
        address = f"/webhook/{client.get(place, headers=owner.headers).json[0]['webhookToken']}"
        client.post(address, headers={"X-Hook-Secret": "of Asana's own"})

        client.put(f"{WORKFLOWS}/{made['id']}", json={"name": "renamed", "trigger": wanted}, headers=owner.headers)
        signed = {**JSON, "X-Hook-Signature": hexadecimal("of Asana's own", BODY)}
        assert client.post(address, data=BODY, headers=signed).status_code == 200

        client.put(
            f"{WORKFLOWS}/{made['id']}", json={"name": "open", "trigger": {"type": "webhook"}}, headers=owner.headers
        )
        assert client.get(place, headers=owner.headers).json[0]["configuration"] == {}

    def test_of_an_open_webhook_give_the_secret_back_and_keep_nothing(
        self, client: FlaskClient, hooked: Hooked, engine: Engine
    ) -> None:
        said = client.post(hooked()["address"], headers={"X-Hook-Secret": "b537207f20cb"})
        assert (said.status_code, said.headers["X-Hook-Secret"]) == (200, "b537207f20cb")
        assert "b537207f20cb" not in str(accepted_events(engine)[0].payload)

    @pytest.mark.parametrize("name", ["validationToken", "crc_token", "hub.challenge", "challenge"])
    def test_can_be_answered_by_the_workflow(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, name: str
    ) -> None:
        client.get(hooked()["address"], query_string={name: "made up for the moment"})
        assert accepted_events(engine)[0].payload["queryParams"] == {name: "made up for the moment"}


class TestTokens:
    def test_in_a_header_are_kept_nowhere(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        address = hooked(auth="header", header="X-Door", secret=SECRET)["address"]
        assert client.get(address, headers={"X-Door": "another one"}).status_code == 401
        accented = hooked(auth="header", header="X-Door", secret="un mot caché")["address"]
        assert client.get(accented, headers={"X-Door": "un mot caché".encode().decode("latin-1")}).status_code == 200
        assert client.get(address, headers={"X-Door": SECRET}).status_code == 200
        kept = [event.payload["headers"]["x-door"] for event in accepted_events(engine)]
        assert kept == ["[redacted]", "[redacted]"]

    def test_let_in_files_that_are_larger_than_bodies_of_text(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, backends: Backends
    ) -> None:
        address = hooked(auth="header", secret=SECRET)["address"]
        large = b"\xff" * (backends.settings.webhook_max_bytes + 1)
        headers = {"Authorization": SECRET, "Content-Type": "application/octet-stream"}
        assert client.post(address, data=large, headers=headers).status_code == 200
        assert accepted_events(engine)[0].payload["body"]["size"] == len(large)
        assert client.post(address, data=large, headers=headers | {"Authorization": "another"}).status_code == 401

    def test_of_basic_are_asked_for_as_browsers_and_providers_know_it(
        self, client: FlaskClient, hooked: Hooked
    ) -> None:
        address = hooked(auth="basic", username="ann", password=SECRET)["address"]
        asked = client.get(address)
        assert (asked.status_code, asked.headers["WWW-Authenticate"][:6]) == (401, "Basic ")
        assert client.get(address, auth=("ann", SECRET)).status_code == 200
        assert client.get(address, auth=("bob", SECRET)).status_code == 401


class TestBearerTokens:
    @pytest.fixture
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @pytest.fixture
    def signer(self, key: rsa.RSAPrivateKey, httpserver: HTTPServer) -> HTTPServer:
        published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))

        def answer(_: Request) -> Response:
            return Response(json.dumps({"keys": [{**published, "kid": "one", "use": "sig"}]}))

        httpserver.expect_request("/jwks").respond_with_handler(answer)
        return httpserver

    @staticmethod
    def bearer(key: Any, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> dict[str, str]:
        claims = {"exp": time.time() + 60, **claims}
        token = jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)
        return {"Authorization": f"Bearer {token}"}

    def test_of_a_shared_secret_let_in(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        secret = "a secret of thirty-two bytes or more"
        address = hooked(auth="jwt", secret=secret, issuer="shop", audience="flow")["address"]
        good = {"iss": "shop", "aud": ["flow", "other"]}
        wrong = [
            {},
            self.bearer(secret + "!", **good),
            self.bearer(secret, **{**good, "exp": time.time() - 120}),
            self.bearer(secret, **{**good, "exp": None}),
            self.bearer(secret, iss="shop"),
            self.bearer(secret, iss="another", aud="flow"),
            self.bearer("", "none", **good),
            {"Authorization": "Bearer x.y.z"},
            {"Authorization": "Bearer " + "a" * 20_000},
        ]
        assert [client.post(address, headers=headers).status_code for headers in wrong] == [401] * len(wrong)
        assert client.post(address, headers=self.bearer(secret, **good)).status_code == 200
        assert len(accepted_events(engine)) == 1

    def test_of_a_published_key_let_in(
        self, client: FlaskClient, hooked: Hooked, signer: HTTPServer, key: rsa.RSAPrivateKey
    ) -> None:
        address = hooked(auth="jwt", jwksUrl=signer.url_for("/jwks"))["address"]
        for _ in range(3):
            assert client.post(address, headers=self.bearer(key, "RS256", "one")).status_code == 200
        other = rsa.generate_private_key(65537, 2048)
        assert client.post(address, headers=self.bearer(other, "RS256", "one")).status_code == 401
        assert client.post(address, headers=self.bearer(key, "RS256", "two")).status_code == 401
        public = key.public_key()
        confused = base64.b64encode(str(public.public_numbers().n).encode()).decode()
        assert client.post(address, headers=self.bearer(confused, "HS256", "one")).status_code == 401
        assert len(signer.log) == 1

    def test_whose_key_cannot_be_fetched_are_to_be_sent_again(
        self, client: FlaskClient, hooked: Hooked, httpserver: HTTPServer, key: rsa.RSAPrivateKey
    ) -> None:
        httpserver.expect_request("/broken").respond_with_data("<html>", status=500)
        address = hooked(auth="jwt", jwksUrl=httpserver.url_for("/broken"))["address"]
        for _ in range(2):
            assert client.post(address, headers=self.bearer(key, "RS256", "one")).status_code == 503
        assert len(httpserver.log) == 1


class TestTheRawBody:
    @pytest.mark.parametrize(
        ("data", "content_type", "kept"),
        [
            (b'{"a": 1,\n"b":2.50}', "application/json", '{"a": 1,\n"b":2.50}'),
            (b"a=1&b=J%C3%B6", "application/x-www-form-urlencoded", "a=1&b=J%C3%B6"),
            ("Grüße".encode(), "text/plain", "Grüße"),
            (b"", "application/json", ""),
            (b"\xff\xfe", "image/png", {"base64": "//4=", "contentType": "image/png"}),
            (b"a\0b", "text/plain", {"base64": "YQBi", "contentType": "text/plain"}),
        ],
    )
    def test_has_the_bytes_that_were_sent(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, data: bytes, content_type: str, kept: Any
    ) -> None:
        client.post(hooked(rawBody=True)["address"], data=data, content_type=content_type)
        assert accepted_events(engine)[0].payload["rawBody"] == kept

    def test_is_not_kept_unless_it_is_wanted(self, client: FlaskClient, hooked: Hooked, engine: Engine) -> None:
        client.post(hooked()["address"], data={"a": io.BytesIO(b"1")})
        assert "rawBody" not in accepted_events(engine)[0].payload


class TestWhatIsDeclared:
    def test_costs_the_database_no_question(self, client: FlaskClient, hooked: Hooked, backends: Backends) -> None:
        secret = {"auth": "shopify", "secret": SECRET}
        address = hooked(**secret, allowedAddresses=["127.0.0.1"], methods=["POST"], rawBody=True)["address"]
        for number in range(2):
            body = str(number).encode()
            with counting_statements(backends.engine) as statements:
                headers = {**JSON, "X-Shopify-Hmac-Sha256": in_base64(SECRET, body)}
                assert client.post(address, data=body, headers=headers).status_code == 200
        assert len(statements) == 1

    def test_counts_at_once_in_every_process(
        self, client: FlaskClient, hooked: Hooked, owner: Person, backends: Backends
    ) -> None:
        hook, other = hooked(), create_app(backends=backends).test_client()
        assert other.post(hook["address"], json={}).status_code == 200

        def change(**configuration: Any) -> None:
            place = f"{TRIGGERS}/{hook['id']}"
            assert client.put(place, json={"configuration": configuration}, headers=owner.headers).status_code == 200

        for configuration, method, status in [
            ({"methods": ["PUT"]}, "POST", 405),
            ({"methods": ["POST"]}, "POST", 200),
            ({"allowedAddresses": ["203.0.113.9"]}, "POST", 403),
            ({}, "POST", 200),
            ({"auth": "stripe", "secret": SECRET}, "POST", 401),
            ({"auth": "none", "secret": SECRET}, "POST", 200),
        ]:
            change(**configuration)
            assert other.open(hook["address"], method=method, json={}).status_code == status

    @pytest.mark.parametrize("configuration", [{"auth": "pigeon"}, {"auth": "github"}, {"methods": "all"}])
    def test_lets_nobody_in_where_it_cannot_be_read(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, configuration: dict[str, Any]
    ) -> None:
        hook = hooked()
        lay_back(engine, hook["id"], configuration=configuration)
        assert client.post(hook["address"], json={}).status_code == 503
        assert accepted_events(engine) == []

    @pytest.mark.parametrize("configuration", [None, [], {"method": "POST"}, {"respond": "later"}, {"secret": 17}])
    def test_of_an_adopted_trigger_may_be_anything_else(
        self, client: FlaskClient, hooked: Hooked, engine: Engine, configuration: Any
    ) -> None:
        hook = hooked()
        lay_back(engine, hook["id"], configuration=configuration)
        assert client.post(hook["address"], json={}).status_code == 200

    @pytest.mark.parametrize(
        "configuration",
        [
            {"auth": "standard", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            {"auth": "gitlab", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            {"auth": "jwt", "secret": "a secret of thirty-two bytes or more"},
            {"auth": "meta", "secret": SECRET, "verifyToken": "a word"},
            {"auth": "basic", "username": "ann", "password": SECRET},
        ],
    )
    def test_is_masked_wherever_it_is_shown_and_kept_by_its_masks(
        self, client: FlaskClient, owner: Person, hooked: Hooked, engine: Engine, configuration: dict[str, Any]
    ) -> None:
        hook = hooked(**configuration)
        made = workflow(client, owner, trigger={"type": "webhook", "config": configuration})
        place, text = f"{TRIGGERS}/{hook['id']}", f"{WORKFLOWS}/{made['id']}"
        shown = client.get(text, headers=owner.headers).json["trigger"]
        assert {configuration[key] for key in ("secret", "verifyToken", "password") if key in configuration}.isdisjoint(
            {*hook["configuration"].values(), *shown["config"].values()}
        )

        before = stored_trigger(engine, hook["id"]).configuration
        kept = client.put(place, json={"configuration": hook["configuration"]}, headers=owner.headers)
        saved = client.put(text, json={"name": "again", "trigger": shown}, headers=owner.headers)
        assert (kept.status_code, saved.status_code) == (200, 200)
        assert stored_trigger(engine, hook["id"]).configuration == before
