"""How callers of webhooks prove who they are, by the values that providers publish where there are any."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flowforge.errors import Invalid
from flowforge.triggers.kinds.webhook import KIND, Config
from flowforge.triggers.webhooks.authentication import Authentication, NotProven, Proof
from flowforge.triggers.webhooks.authentications import authentications
from flowforge.triggers.webhooks.authentications.twilio import Twilio
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hook import Hook
from flowforge.triggers.webhooks.sample_request import SampleRequest
from flowforge.triggers.webhooks.signed_call import sign_call
from tests.triggers.webhook_calls import NOW, authentication, call, hexadecimal, in_base64

SECRET = "a secret of both"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes or more").decode()
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = base64.b64encode(
    SENDGRID_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
BODY = json.dumps({"id": "evt_1", "event_id": "Ev1", "update_id": 7, "value": [{"clientState": SECRET}]}).encode()
REQUEST = SampleRequest("POST", "", (), BODY.decode())


def _stripe(body: bytes, at: int) -> dict[str, str]:
    return {"Stripe-Signature": f"t={at},v1={hexadecimal(SECRET, f'{at}.'.encode() + body)},v0=6ffbb59b"}


def _version_zero(prefix: str) -> Callable[[bytes, int], dict[str, str]]:
    def signed(body: bytes, at: int) -> dict[str, str]:
        signature = "v0=" + hexadecimal(SECRET, f"v0:{at}:".encode() + body)
        return {f"{prefix}-Request-Timestamp": str(at), f"{prefix}-Signature": signature}

    return signed


def _standard(body: bytes, at: int) -> dict[str, str]:
    key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
    signature = in_base64(key, f"msg_1.{at}.".encode() + body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,AAAA v1,{signature}"}


def _sendgrid(body: bytes, at: int) -> dict[str, str]:
    signature = base64.b64encode(SENDGRID_KEY.sign(str(at).encode() + body, ec.ECDSA(SHA256()))).decode()
    prefix = "X-Twilio-Email-Event-Webhook"
    return {f"{prefix}-Signature": signature, f"{prefix}-Timestamp": str(at)}


def _twilio(body: bytes, at: int) -> dict[str, str]:
    del at
    return {"X-Twilio-Signature": in_base64(SECRET, _twilio_url(body).encode(), hashlib.sha1)}


def _twilio_url(body: bytes) -> str:
    return f"https://flow.example/webhook/t?bodySHA256={hashlib.sha256(body).hexdigest()}"


def _timed_hmac(body: bytes, at: int) -> dict[str, str]:
    signature = in_base64(SECRET, f"{at}.".encode() + body, hashlib.sha512)
    return {"X-Shop-Signature": f"v1={signature}", "X-Shop-Time": str(at)}


Signs = Callable[[bytes, int], Mapping[str, str]]
UNTIMED: dict[str, Signs] = {
    "hmac": lambda body, _: {"X-Hub-Signature-256": "sha256=" + hexadecimal(SECRET, body)},
    "github": lambda body, _: {"X-Hub-Signature-256": "sha256=" + hexadecimal(SECRET, body)},
    "meta": lambda body, _: {"X-Hub-Signature-256": "sha256=" + hexadecimal(SECRET, body)},
    "shopify": lambda body, _: {"X-Shopify-Hmac-Sha256": in_base64(SECRET, body)},
    "typeform": lambda body, _: {"Typeform-Signature": "sha256=" + in_base64(SECRET, body)},
    "asana": lambda body, _: {"X-Hook-Signature": hexadecimal(SECRET, body)},
    "twilio": _twilio,
}
TIMED: dict[str, Signs] = {
    "stripe": _stripe,
    "slack": _version_zero("X-Slack"),
    "zoom": _version_zero("x-zm"),
    "standard": _standard,
    "gitlab": _standard,
    "sendgrid": _sendgrid,
    "hmac with a time": _timed_hmac,
}
TOKENS: dict[str, Signs] = {
    "header": lambda *_: {"Authorization": f"Bearer {SECRET}"},
    "basic": lambda *_: {"Authorization": "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()},
    "telegram": lambda *_: {"X-Telegram-Bot-Api-Secret-Token": SECRET},
    "gitlab with a token": lambda *_: {"X-Gitlab-Token": SECRET},
}
CONFIGS: dict[str, dict[str, Any]] = {
    "basic": {"username": "ann", "password": SECRET},
    "standard": {"secret": STANDARD_SECRET},
    "gitlab": {"secret": STANDARD_SECRET},
    "meta": {"secret": SECRET, "verifyToken": "a word"},
    "sendgrid": {"publicKey": PUBLIC_KEY},
    "hmac with a time": {
        "secret": SECRET,
        "header": "X-Shop-Signature",
        "algorithm": "sha512",
        "encoding": "base64",
        "prefix": "v1=",
        "timestampHeader": "X-Shop-Time",
    },
}
each_signature = pytest.mark.parametrize("way", [*UNTIMED, *TIMED])
each_timed = pytest.mark.parametrize("way", TIMED)


ONLY_PROVIDERS_SIGN = {"sendgrid", "twilio"}


def _authentication(way: str) -> Authentication:
    return authentication(way.partition(" ")[0], **CONFIGS.get(way, {"secret": SECRET}))


def _verify(way: str, sent: Call) -> Proof:
    return _authentication(way).verify(sent)


def _signed(way: str, body: bytes = BODY, at: int = NOW, **more: Any) -> Call:
    headers = {**UNTIMED, **TIMED, **TOKENS}[way](body, at)
    url = {"url": _twilio_url(body), "query": {"bodySHA256": hashlib.sha256(body).hexdigest()}}
    return call(**{"body": body, "headers": headers, **(url if way == "twilio" else {}), **more})


class TestCallsThatAreSignedHere:
    @pytest.mark.parametrize("way", sorted({*UNTIMED, *TIMED, *TOKENS} - ONLY_PROVIDERS_SIGN))
    def test_prove_themselves(self, way: str) -> None:
        hook = Hook(Config(), _authentication(way), ())
        made = sign_call(hook, "https://flow.example/webhook/t", REQUEST)
        hook.authentication.verify(call(made.body, made.headers, method=made.method, at=time.time()))
        with pytest.raises(NotProven):
            hook.authentication.verify(call(made.body, {}, method=made.method, at=time.time()))

    @pytest.mark.parametrize("way", sorted(ONLY_PROVIDERS_SIGN))
    def test_are_none_where_only_the_provider_can(self, way: str) -> None:
        hook = Hook(Config(), _authentication(way), ())
        with pytest.raises(Invalid, match="only the sender can sign calls here"):
            sign_call(hook, "https://flow.example/webhook/t", REQUEST)


class TestSignatures:
    @each_signature
    def test_prove_the_call(self, way: str) -> None:
        proof = _verify(way, _signed(way))
        assert proof.signed is not None
        assert proof.is_timed == (way in TIMED)

    @each_signature
    def test_are_of_the_bytes_that_came(self, way: str) -> None:
        with pytest.raises(NotProven):
            _verify(way, _signed(way, headers=_signed(way).headers, body=BODY + b" "))

    @each_signature
    @pytest.mark.parametrize("sent", [None, "", "sha256=", "v0=", "t=,v1=", "v1,", "Ünïcode", "=" * 5_000])
    def test_that_are_none_prove_nothing(self, way: str, sent: str | None) -> None:
        is_signature = lambda name: "signature" in name or "hmac" in name  # noqa: E731
        headers = {
            name: (sent or "") if is_signature(name) else value
            for name, value in _signed(way).headers.items()
            if sent is not None or not is_signature(name)
        }
        with pytest.raises(NotProven):
            _verify(way, call(BODY, headers))

    @each_signature
    def test_of_another_secret_prove_nothing(self, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = _signed(way)
        other = "whsec_" + base64.b64encode(b"another twenty-four bytes").decode()
        key = {"publicKey": _other_key()} if way == "sendgrid" else {"secret": other}
        monkeypatch.setitem(CONFIGS, way, CONFIGS.get(way, {}) | key)
        with pytest.raises(NotProven):
            _verify(way, sent)

    @each_signature
    def test_take_no_get_whose_body_proves_nothing(self, way: str) -> None:
        if way != "twilio":  # signs the address
            with pytest.raises(NotProven):
                _verify(way, _signed(way, b"", method="GET"))

    @each_timed
    @pytest.mark.parametrize("seconds", [-301, 301, -86_400])
    def test_of_another_time_are_refused(self, way: str, seconds: int) -> None:
        with pytest.raises(NotProven, match="seconds away"):
            _verify(way, _signed(way, at=NOW + seconds))

    @each_timed
    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_within_the_window_count(self, way: str, seconds: int) -> None:
        assert _verify(way, _signed(way, at=NOW + seconds)).is_timed

    @pytest.mark.parametrize("time", ["", "now", "1e9", "٣", "-5", "1" * 400])
    def test_of_a_time_that_is_none_are_refused(self, time: str) -> None:
        headers = {
            "X-Slack-Request-Timestamp": time,
            "X-Slack-Signature": "v0=" + hexadecimal(SECRET, b"v0:" + time.encode() + b":{}"),
        }
        with pytest.raises(NotProven):
            _verify("slack", call(b"{}", headers))

    def test_may_have_a_time_in_milliseconds(self) -> None:
        assert _verify("zoom", _signed("zoom", at=NOW * 1000 + 17)).is_timed

    def test_name_what_happened_where_the_provider_does(self) -> None:
        names = {way: _verify(way, _signed(way)).delivery for way in [*UNTIMED, *TIMED, "telegram"]}
        assert {way: name for way, name in names.items() if name} == {
            "stripe": "evt_1",
            "slack": "Ev1",
            "typeform": "Ev1",
            "standard": "msg_1",
            "gitlab": "msg_1",
            "telegram": "7",
        }


def _other_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


class TestTokens:
    @pytest.mark.parametrize("way", TOKENS)
    def test_prove_who_calls(self, way: str) -> None:
        assert _verify(way, _signed(way)).signed is None

    @pytest.mark.parametrize("way", TOKENS)
    @pytest.mark.parametrize("sent", [None, "", "Bearer", "Basic", "Basic !", "Basic YW5u", SECRET[:-1], "Ünïcode"])
    def test_that_are_wrong_prove_nothing(self, way: str, sent: str | None) -> None:
        headers = {} if sent is None else dict.fromkeys(_signed(way).headers, sent)
        with pytest.raises(NotProven):
            _verify(way, call(BODY, headers))

    def test_of_microsoft_stand_in_every_notification(self) -> None:
        assert _verify("microsoft", call(BODY)) == Proof()
        for notices in ([], [{}], [{"clientState": SECRET}, {"clientState": "x"}], "text", [SECRET]):
            with pytest.raises(NotProven):
                _verify("microsoft", call(json.dumps({"value": notices})))

    def test_in_a_header_of_their_own_are_no_data(self) -> None:
        assert authentication("header", secret=SECRET, header="X-Door").secret_headers == {"x-door"}


PUBLISHED = {
    "GitHub, Validating webhook deliveries": (
        "github",
        {"secret": "It's a Secret to Everybody"},
        call(
            "Hello, World!",
            {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        ),
    ),
    "Slack, Verifying requests from Slack": (
        "slack",
        {"secret": "8f742231b10e8888abcd99yyyzzz85a5"},
        call(
            "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
            "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            {
                "X-Slack-Request-Timestamp": "1531420618",
                "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            },
            at=1531420618,
        ),
    ),
    "Standard Webhooks, the reference library": (
        "standard",
        {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        call(
            '{"test": 2432232314}',
            {
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "webhook-timestamp": "1614265330",
                "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            },
            at=1614265330,
        ),
    ),
    "SendGrid, its libraries": (
        "sendgrid",
        {
            "publicKey": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGh"
            "HPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
        },
        call(
            '{"category":"example_payload","event":"test_event","message_id":"message_id"}',
            {
                "X-Twilio-Email-Event-Webhook-Timestamp": "1588788367",
                "X-Twilio-Email-Event-Webhook-Signature": "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7R"
                "AwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
            },
            at=1588788367,
        ),
    ),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_what_providers_publish_is_right(source: str) -> None:
    way, config, sent = PUBLISHED[source]
    assert authentication(way, **config).verify(sent).signed is not None


class TestTwilio:
    FORM = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"

    def verify(self, body: bytes, signature: str, url: str, **more: Any) -> Proof:
        sent = call(body, {"X-Twilio-Signature": signature}, url=url, media_type=more.pop("media_type"), **more)
        return Twilio.model_construct(secret="12345", same_body_again=False).verify(sent)

    @pytest.mark.parametrize(
        ("url", "signature"),
        [
            ("https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("https://mycompany.com/myapp.php?foo=1&bar=2", ""),
        ],
    )
    def test_signs_address_and_fields(self, url: str, signature: str) -> None:
        """The values of twilio-python's own tests; and a form without a signature."""
        verify = lambda: self.verify(self.FORM, signature, url, media_type="application/x-www-form-urlencoded")  # noqa: E731
        if signature:
            assert verify().signed is not None
        else:
            with pytest.raises(NotProven):
                verify()

    def test_may_have_the_port_in_the_address(self) -> None:
        signature = in_base64("12345", b"https://flow.example:443/webhook/t?a=1", hashlib.sha1)
        assert self.verify(b"", signature, "https://flow.example/webhook/t?a=1", media_type="", method="GET").signed

    def test_takes_no_more_fields_than_it_can_sort_at_once(self) -> None:
        with pytest.raises(NotProven, match="fields"):
            self.verify(b"a=1&" * 5_000, "", "https://x.test/", media_type="application/x-www-form-urlencoded")


class TestHandshakes:
    def test_of_meta_give_the_challenge_back_to_who_knows_the_word(self) -> None:
        meta = authentication("meta", secret=SECRET, verifyToken="a word")
        query = {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "1158201444"}
        answer = meta.handshake(call(b"", method="GET", query=query))
        assert answer is not None
        assert (answer.body, answer.media_type) == (b"1158201444", "text/plain")
        with pytest.raises(NotProven):
            meta.handshake(call(b"", method="GET", query=query | {"hub.verify_token": "another"}))

    def test_of_zoom_are_the_hmac_of_the_token(self) -> None:
        body = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
        answer = authentication("zoom", secret=SECRET).handshake(call(json.dumps(body)))
        assert answer is not None
        assert json.loads(answer.body) == {
            "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
            "encryptedToken": hexadecimal(SECRET, b"qgg8vlvZRS6UYooatFL8Aw"),
        }

    @pytest.mark.parametrize("token", [f'v0:{NOW}:{{"event":"x"}}', "", None, 7, "a" * 201, "a b"])
    def test_of_zoom_sign_nothing_that_could_be_a_call(self, token: Any) -> None:
        body = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
        with pytest.raises(NotProven):
            authentication("zoom", secret=SECRET).handshake(call(json.dumps(body)))

    @pytest.mark.parametrize(
        ("way", "body"),
        [
            ("slack", {"type": "url_verification", "challenge": "3eZbrw1aB"}),
            ("zoom", {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZ"}}),
        ],
    )
    def test_that_are_signed_by_another_secret_show_it(self, way: str, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        own = authentication(way, secret=SECRET)
        assert own.handshake(call(data)) is not None
        assert own.handshake(_signed(way, data)) is not None
        with pytest.raises(NotProven):
            authentication(way, secret="another secret").handshake(_signed(way, data))

    def test_of_slack_give_the_challenge_back(self) -> None:
        body = {"token": "x", "type": "url_verification", "challenge": "3eZbrw1aB"}
        answer = authentication("slack", secret=SECRET).handshake(call(json.dumps(body)))
        assert answer is not None
        assert answer.body == b"3eZbrw1aB"

    def test_of_microsoft_give_the_token_back(self) -> None:
        answer = authentication("microsoft", secret=SECRET).handshake(call(query={"validationToken": "Validation: é"}))
        assert answer is not None
        assert (answer.body, answer.media_type) == ("Validation: é".encode(), "text/plain")

    def test_of_asana_are_taken_once(self) -> None:
        first = authentication("asana").handshake(call(headers={"X-Hook-Secret": "b537207f20cb"}))
        assert first is not None
        assert (first.headers, first.secret) == ({"X-Hook-Secret": "b537207f20cb"}, "b537207f20cb")
        known = authentication("asana", secret="b537207f20cb")
        again = known.handshake(call(headers={"X-Hook-Secret": "b537207f20cb"}))
        assert again is not None
        assert again.secret is None
        with pytest.raises(NotProven):
            known.handshake(call(headers={"X-Hook-Secret": "of somebody else"}))

    @pytest.mark.parametrize("way", ["meta", "zoom", "slack", "microsoft", "asana"])
    @pytest.mark.parametrize(
        "body", [BODY, b"", b"[1]", b"{", b"\xff", b'{"payload":[]}', b'{"type":"url_verification"}']
    )
    def test_are_no_other_calls(self, way: str, body: bytes) -> None:
        config = CONFIGS.get(way, {} if way == "asana" else {"secret": SECRET})
        assert authentication(way, **config).handshake(call(body)) is None


class TestConfigs:
    @pytest.mark.parametrize("way", [way for way in authentications() if way not in ("none", "asana")])
    def test_without_a_secret_are_refused(self, way: str) -> None:
        wanted = {"basic": {"/username", "/password"}, "sendgrid": {"/publicKey"}, "meta": {"/secret", "/verifyToken"}}
        pointers = {problem.pointer for problem in KIND.problems({"auth": way})}
        assert pointers == wanted.get(way, {"/secret"})

    @pytest.mark.parametrize(
        ("config", "pointer"),
        [
            ({"auth": "pigeon"}, "/auth"),
            ({"auth": ["github"]}, "/auth"),
            ({"auth": "github", "secret": "short"}, "/secret"),
            ({"auth": "hmac", "secret": SECRET, "header": "no header"}, "/header"),
            ({"auth": "hmac", "secret": SECRET, "algorithm": "md5"}, "/algorithm"),
            ({"auth": "hmac", "secret": SECRET, "signed": "{timestamp}"}, "/signed"),
            ({"auth": "hmac", "secret": SECRET, "signed": "{timestamp}.{body}"}, "/signed"),
            ({"auth": "hmac", "secret": SECRET, "timestampHeader": "X-T", "signed": "{body}"}, "/signed"),
            ({"auth": "hmac", "secret": SECRET, "signed": "{id}.{body}"}, "/signed"),
            ({"auth": "stripe", "secret": SECRET, "window": 0}, "/window"),
            ({"auth": "standard", "secret": "no Base64 at all"}, "/secret"),
            ({"auth": "gitlab", "secret": "whsec_no Base64 at all"}, "/secret"),
            ({"auth": "sendgrid", "publicKey": "AAAA"}, "/publicKey"),
            ({"auth": "jwt", "secret": SECRET, "jwksUrl": "https://x.test/jwks"}, "/secret"),
            ({"auth": "jwt", "jwksUrl": "file:///etc/passwd"}, "/jwksUrl"),
            ({"auth": "jwt", "jwksUrl": "http://[::1"}, "/jwksUrl"),
            ({"auth": "jwt", "jwksUrl": "https://"}, "/jwksUrl"),
            ({"auth": "basic", "username": "a:b", "password": SECRET}, "/username"),
            ({"methods": ["POST", "TRACE"]}, "/methods/1"),
            ({"methods": []}, "/methods"),
            ({"allowedOrigins": ["shop.example"]}, "/allowedOrigins/0"),
            ({"allowedOrigins": ["https://shop.example/path"]}, "/allowedOrigins/0"),
            ({"allowedAddresses": ["10.0.0.0/33"]}, "/allowedAddresses/0"),
            ({"allowedAddresses": ["example.com"]}, "/allowedAddresses/0"),
            ({"deliveryHeader": "X Y"}, "/deliveryHeader"),
            ({"rawBody": "perhaps"}, "/rawBody"),
        ],
    )
    def test_that_cannot_be_used_name_the_field(self, config: dict[str, Any], pointer: str) -> None:
        assert [problem.pointer for problem in KIND.problems(config)] == [pointer]

    def test_are_drawn_with_the_fields_of_what_is_chosen(self) -> None:
        assert "verifyToken" in KIND.form_schema({"auth": "meta"})["properties"]
        assert "verifyToken" not in KIND.form_schema({"auth": "stripe"})["properties"]
        assert KIND.form_schema({"auth": "basic"})["required"] == ["username", "password"]

    def test_with_nothing_but_a_secret_demand_a_signature(self) -> None:
        assert KIND.authentication({"secret": SECRET}).type == "hmac"
        assert KIND.authentication({"secret": SECRET, "auth": "none"}).type == "none"
        assert KIND.authentication({}).type == "none"
