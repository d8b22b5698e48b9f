"""The general connection kinds, each against a server that knows who may come in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import time_machine
from authlib.oauth1.rfc5849.resource_protector import ResourceProtector
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Answer

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.connection_kinds.digest import DigestSignIn, authorization
from flowforge.connectors.sdk import ConnectorError, Request, StepContext
from flowforge.jsonio import JsonObject
from tests.connectors.running import run

Visit = Callable[..., JsonObject]


@pytest.fixture
def visit(httpserver: HTTPServer, context: StepContext) -> Visit:
    """An HTTP_REQUEST with a connection of the kind; `config` is the connection's, `step` the step's."""

    def visited(kind: str, config: JsonObject, path: str = "/", **step: Any) -> JsonObject:
        signer = load_catalog().connection_kinds[kind].read(config, context)
        return run("HTTP_REQUEST", {"url": httpserver.url_for(path), **step}, replace(context, connection=signer))

    return visited


def received(httpserver: HTTPServer) -> Received:
    """The last request."""
    return httpserver.log[-1][0]


class TestApiKey:
    @pytest.fixture(autouse=True)
    def everybody_may_come_in(self, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/").respond_with_data("ok")

    def test_in_a_header(self, httpserver: HTTPServer, visit: Visit) -> None:
        visit("api_key", {"key": "k-1", "name": "Authorization", "prefix": "Token "})
        assert received(httpserver).headers["Authorization"] == "Token k-1"

    def test_in_the_query_and_there_once(self, httpserver: HTTPServer, visit: Visit) -> None:
        config = {"key": "k&1", "location": "query", "name": "api key"}
        visit("api_key", config, "/?a=%2F&api+key=other&b")
        assert received(httpserver).query_string == b"a=%2F&b&api+key=k%261"

    def test_in_a_cookie_beside_others(self, httpserver: HTTPServer, visit: Visit) -> None:
        visit("api_key", {"key": "k-1", "location": "cookie", "name": "sid"}, headers={"Cookie": "a=b"})
        assert received(httpserver).cookies.to_dict() == {"a": "b", "sid": "k-1"}

    def test_as_the_user_name(self, httpserver: HTTPServer, visit: Visit, context: StepContext) -> None:
        visit("api_key", {"key": "sk_1", "location": "username"})
        sent = received(httpserver).authorization
        assert sent is not None
        assert (sent.username, sent.password) == ("sk_1", "")
        assert received(httpserver).headers["Authorization"].removeprefix("Basic ") in context.secrets


def test_a_bearer_token_is_sent_as_it_is(httpserver: HTTPServer, visit: Visit) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    visit("bearer", {"token": "t-1"})
    assert received(httpserver).headers["Authorization"] == "Bearer t-1"


def test_a_name_and_a_password_in_any_script(httpserver: HTTPServer, visit: Visit) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    visit("basic", {"username": "zoë", "password": "pä:ss"})
    sent = received(httpserver).authorization
    assert sent is not None
    assert (sent.username, sent.password) == ("zoë", "pä:ss")


def test_a_user_name_holds_no_colon() -> None:
    [problem] = load_catalog().connection_kinds["basic"].problems({"username": "a:b"}, "/config")
    assert (problem.pointer, problem.message) == ("/config/username", "cannot hold a colon")


class TestHeaders:
    def test_are_sent_together(self, httpserver: HTTPServer, visit: Visit) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        visit("headers", {"headers": {"X-App": "1", "X-Secret": "two"}}, headers={"x-app": "of the step"})
        assert [received(httpserver).headers[name] for name in ("X-App", "X-Secret")] == ["1", "two"]

    @pytest.mark.parametrize("headers", [{}, {"X Y": "1"}, {"": "1"}, {"A:": "1"}, {"A\nB": "1"}])
    def test_have_names_that_http_allows(self, headers: dict[str, str]) -> None:
        problems = load_catalog().connection_kinds["headers"].problems({"headers": headers}, "/config")
        assert problems[0].pointer.startswith("/config/headers")


class TestDigest:
    """The examples are those of RFC 7616, 3.9.1, and RFC 2617, 3.5."""

    ADA = DigestSignIn(username="Mufasa", password="Circle of Life")
    CHALLENGE: ClassVar = {
        "realm": "http-auth@example.org",
        "qop": "auth, auth-int",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }
    CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

    @pytest.mark.parametrize(
        ("algorithm", "expected"),
        [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ],
    )
    def test_the_examples_of_the_standard(self, algorithm: str, expected: str) -> None:
        request = Request("GET", "http://www.example.org/dir/index.html", {}, b"")
        header = authorization(self.ADA, {**self.CHALLENGE, "algorithm": algorithm}, request, 1, self.CNONCE)
        assert f'response="{expected}"' in header
        assert f'uri="/dir/index.html", response="{expected}", opaque="{self.CHALLENGE["opaque"]}"' in header
        assert header.endswith(f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{self.CNONCE}"')

    def server(self, httpserver: HTTPServer, challenges: list[str], uses: int = 2) -> list[str | None]:
        """Lets those in who answer the first challenge, whose nonce becomes stale after so many uses; returns the
        counts of uses that it was told."""
        told: list[str | None] = []

        def answer(request: Received) -> Answer:
            sent, nonce = request.authorization, f"nonce-{len(told) // uses}"
            if sent is not None and sent.type == "digest" and sent["nonce"] == nonce and sent["nc"] not in told[-1:]:
                told.append(sent["nc"])
                return Answer("in" if sent["response"] == expected(request, nonce) else "out", 200)
            refusal = Answer("", 401)
            for challenge in challenges:
                refusal.headers.add("WWW-Authenticate", challenge.format(nonce=nonce))
            return refusal

        def expected(request: Received, nonce: str) -> str:
            def digest(text: str) -> str:
                return hashlib.sha256(text.encode()).hexdigest()

            sent = request.authorization
            assert sent is not None
            use = f"{nonce}:{sent['nc']}:{sent['cnonce']}:auth"
            return digest(f"{digest('zoë:r, x:p')}:{use}:{digest(f'{request.method}:/a?b=c%20d')}")

        httpserver.expect_request("/a").respond_with_handler(answer)
        return told

    def test_the_challenge_is_kept_until_its_nonce_is_stale(self, httpserver: HTTPServer, visit: Visit) -> None:
        weak = 'Digest realm="r, x", nonce="{nonce}", qop="auth", algorithm=MD5'
        strong = 'Digest qop="auth,auth-int", realm="r, x", nonce="{nonce}", algorithm=SHA-256, opaque="o"'
        told = self.server(httpserver, ["Negotiate", f'{weak}, Basic realm="b"', strong])
        for _ in range(4):
            assert visit("digest", {"username": "zoë", "password": "p"}, "/a?b=c%20d", method="POST")["body"] == "in"
        assert told == ["00000001", "00000002"] * 2
        assert [answer.status_code for _, answer in httpserver.log] == [401, 200, 200, 401, 200, 200]

    @pytest.mark.parametrize(
        "challenge", ["Basic realm=r", 'Digest realm="r", nonce="n", algorithm=FOO', "Digest x", 'Digest "', "Digest"]
    )
    def test_what_cannot_be_met_is_the_answer(self, httpserver: HTTPServer, visit: Visit, challenge: str) -> None:
        self.server(httpserver, [challenge])
        with pytest.raises(ConnectorError, match="answered 401"):
            visit("digest", {"username": "zoë", "password": "p"}, "/a")
        assert len(httpserver.log) == 1


class TestOAuth1:
    """The server is authlib's."""

    CONFIG: ClassVar = {"clientKey": "shop", "clientSecret": "c-1", "token": "ada", "tokenSecret": "t-1"}

    class Server(ResourceProtector):  # type: ignore[misc]
        SUPPORTED_SIGNATURE_METHODS = ("HMAC-SHA1", "PLAINTEXT")

        def get_client_by_id(self, client_id: str) -> Any:
            return type("Client", (), {"get_client_secret": lambda _: "c-1"})() if client_id == "shop" else None

        def get_token_credential(self, request: Any) -> Any:
            return type("Token", (), {"get_oauth_token_secret": lambda _: "t-1"})() if request.token == "ada" else None

        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

    @pytest.fixture(autouse=True)
    def serving(self, httpserver: HTTPServer) -> None:
        def answer(request: Received) -> Answer:
            is_form = request.mimetype == "application/x-www-form-urlencoded"
            body = request.get_data(as_text=True) if is_form else None
            url = request.base_url + (f"?{request.query_string.decode()}" if request.query_string else "")
            self.Server().validate_request(request.method, url, body, dict(request.headers))
            return Answer("in")

        httpserver.expect_request("/orders").respond_with_handler(answer)

    @pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
    @pytest.mark.parametrize(
        "step",
        [
            {"query": {"a b": "ü&=", "n": ["1", "2"]}},
            {"method": "POST", "form": {"status": "Ladies + Gentlemen", "x": "a%b"}},
            {"method": "POST", "body": {"json": True}},
        ],
        ids=["query", "form", "json"],
    )
    def test_what_is_signed_is_believed(self, visit: Visit, step: JsonObject, method: str) -> None:
        assert visit("oauth1", {**self.CONFIG, "signatureMethod": method}, "/orders", **step)["body"] == "in"

    def test_a_wrong_secret_is_not(self, visit: Visit) -> None:
        with pytest.raises(ConnectorError, match="answered 500"):
            visit("oauth1", {**self.CONFIG, "tokenSecret": "other"}, "/orders", failOnStatus=True)

    def test_a_private_key_may_have_lost_its_line_breaks(self, context: StepContext) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().replace("\n", "")
        config = {**self.CONFIG, "signatureMethod": "RSA-SHA256", "rsaKey": pem}
        signer = load_catalog().connection_kinds["oauth1"].read(config, context)
        assert "oauth_signature=" in signer.sign(Request("GET", "https://x.test/", {}, b"")).headers["Authorization"]

    def test_a_key_that_is_none_is_told_and_not_quoted(self, visit: Visit) -> None:
        with pytest.raises(ConnectorError, match="cannot be signed with these keys") as caught:
            visit("oauth1", {**self.CONFIG, "signatureMethod": "RSA-SHA256", "rsaKey": "no-key"}, "/orders")
        assert "no-key" not in str(caught.value)


class TestJwt:
    """What is signed is read by joserfc."""

    KEY = ec.generate_private_key(ec.SECP256R1())
    PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    CONFIG: ClassVar = {
        "algorithm": "ES256",
        "key": PEM,
        "keyId": "key-7",
        "issuer": "team",
        "audience": "appstoreconnect-v1",
        "claims": {"scope": ["GET /v1/apps"]},
        "lifeSeconds": 600,
    }

    def read(self, token: str) -> jwt.Token:
        return jwt.decode(token, ECKey.import_key(self.PEM))

    def test_a_token_is_signed_for_each_call(self, httpserver: HTTPServer, visit: Visit) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        seen = []
        for _ in range(2):
            visit("jwt", self.CONFIG)
            seen.append(self.read(received(httpserver).headers["Authorization"].removeprefix("Bearer ")))
        assert seen[0].header == {"alg": "ES256", "typ": "JWT", "kid": "key-7"}
        first, second = (token.claims for token in seen)
        assert first.keys() == {"iss", "aud", "scope", "iat", "exp", "jti"}
        assert (first["iss"], first["aud"], first["scope"]) == ("team", "appstoreconnect-v1", ["GET /v1/apps"])
        assert first["exp"] - first["iat"] == 600
        assert first["jti"] != second["jti"]

    @pytest.mark.parametrize("breaks", ["", " ", "\\n"], ids=["lost", "blanks", "written out"])
    def test_the_line_breaks_of_a_key_may_be_lost(self, httpserver: HTTPServer, visit: Visit, breaks: str) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        visit("jwt", {**self.CONFIG, "key": self.PEM.replace("\n", breaks)})
        self.read(received(httpserver).headers["Authorization"].removeprefix("Bearer "))

    @pytest.mark.parametrize(("encoding", "written"), [("hex", "00ff" * 16), ("base64", "AP8A/wD/" * 5 + "AP8=")])
    def test_a_shared_secret_may_be_given_as_bytes(
        self, httpserver: HTTPServer, visit: Visit, encoding: str, written: str
    ) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        visit("jwt", {"algorithm": "HS256", "key": written, "keyEncoding": encoding, "scheme": "Ghost"})
        token = received(httpserver).headers["Authorization"].removeprefix("Ghost ")
        assert jwt.decode(token, OctKey.import_key(b"\x00\xff" * 16)).header["alg"] == "HS256"

    def test_it_is_exchanged_for_a_token_where_that_has_an_address(self, httpserver: HTTPServer, visit: Visit) -> None:
        given = iter(("first", "second"))
        httpserver.expect_request("/token", method="POST").respond_with_handler(
            lambda _: Answer(f'{{"access_token": "{next(given)}", "expires_in": 3600}}', mimetype="application/json")
        )
        httpserver.expect_request("/", headers={"Authorization": "Bearer second"}).respond_with_data("in")
        httpserver.expect_request("/").respond_with_data("out", 401)
        for _ in range(2):
            assert visit("jwt", {**self.CONFIG, "tokenUrl": httpserver.url_for("/token")})["body"] == "in"
        asked = [request for request, _ in httpserver.log if request.path == "/token"]
        assert len(asked) == 2, "the token that was revoked, and the one that is kept"
        assert asked[0].form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert self.read(asked[0].form["assertion"]).claims["iss"] == "team"

    @pytest.mark.parametrize("answer", ["no JSON", "[]", '{"access_token": 1}', '{"access_token": null}'])
    def test_a_token_service_that_answers_nonsense_is_told(
        self, httpserver: HTTPServer, visit: Visit, answer: str
    ) -> None:
        httpserver.expect_request("/token").respond_with_data(answer, content_type="application/json")
        with pytest.raises(ConnectorError, match="the token service gave no token"):
            visit("jwt", {**self.CONFIG, "tokenUrl": httpserver.url_for("/token")})

    @pytest.mark.parametrize("expires_in", ['"soon"', "null", "-1", '"1e999"', "[]"])
    def test_a_token_without_an_end_is_used_once(self, httpserver: HTTPServer, visit: Visit, expires_in: str) -> None:
        answer = f'{{"access_token": "t", "expires_in": {expires_in}}}'
        httpserver.expect_request("/token").respond_with_data(answer, content_type="application/json")
        httpserver.expect_request("/").respond_with_data("in")
        for _ in range(2):
            visit("jwt", {**self.CONFIG, "tokenUrl": httpserver.url_for("/token")})
        assert len([request for request, _ in httpserver.log if request.path == "/token"]) == 2

    @pytest.mark.parametrize("wrong", [{"key": "no-key"}, {"keyEncoding": "hex"}, {"algorithm": "RS256"}])
    def test_a_key_that_is_none_is_told_and_not_quoted(self, visit: Visit, wrong: JsonObject) -> None:
        with pytest.raises(ConnectorError, match=r"the key (cannot be used|is not written as hex)") as caught:
            visit("jwt", {**self.CONFIG, **wrong})
        assert "no-key" not in str(caught.value)


class TestAws:
    """The example is that of AWS: https://docs.aws.amazon.com/general/latest/gr/sigv4-create-canonical-request.html"""

    CONFIG: ClassVar = {
        "accessKeyId": "AKIDEXAMPLE",
        "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "region": "us-east-1",
        "service": "iam",
    }

    def signed(self, context: StepContext, request: Request, **config: Any) -> Request:
        return load_catalog().connection_kinds["aws"].read({**self.CONFIG, **config}, context).sign(request)

    @time_machine.travel("2015-08-30T12:36:00Z", tick=False)
    def test_the_example_of_aws(self, context: StepContext) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
        headers = self.signed(context, Request("GET", url, form, b"")).headers
        assert headers["X-Amz-Date"] == "20150830T123600Z"
        assert headers["Authorization"] == (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        )

    def test_lent_keys_come_with_their_token(self, context: StepContext) -> None:
        headers = self.signed(context, Request("GET", "https://x.test/", {}, b""), sessionToken="lent").headers
        assert headers["X-Amz-Security-Token"] == "lent"
        assert "x-amz-security-token" in headers["Authorization"]

    def test_the_header_of_a_step_gives_way(self, context: StepContext) -> None:
        headers = self.signed(context, Request("GET", "https://x.test/", {"authorization": "own"}, b"")).headers
        assert [name.lower() for name in headers].count("authorization") == 1
        assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")

    def test_a_file_goes_to_s3_unsigned_and_nowhere_else(self, context: StepContext) -> None:
        put = Request("PUT", "https://s3.test/bucket/a%20b", {"Content-Length": "9"}, b"")
        assert self.signed(context, put, service="s3").headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
        with pytest.raises(ConnectorError, match="a file cannot be signed for AWS"):
            self.signed(context, put)

    def test_what_is_sent_is_what_was_signed(self, httpserver: HTTPServer, visit: Visit) -> None:
        httpserver.expect_request("/orders").respond_with_data("ok")
        visit("aws", self.CONFIG, "/orders?b=2&a=%2F+x", method="POST", body={"n": 1})
        sent = received(httpserver)
        names = re.findall(r"SignedHeaders=([^,]+)", sent.headers["Authorization"])[0].split(";")
        assert {"host", "x-amz-date", "content-type", "idempotency-key"} <= set(names)
        assert all(sent.headers[name] for name in names)


@pytest.mark.parametrize("kind", ["api_key", "bearer", "basic", "headers", "digest", "oauth1", "jwt", "aws"])
def test_each_can_be_bound_and_tested_at_an_address(kind: str) -> None:
    fields = load_catalog().connection_kinds[kind].fields
    assert {"hosts", "testUrl"} <= set(fields)
