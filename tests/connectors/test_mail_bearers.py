"""Signing in to mail servers with access tokens, by the functions alone, and against servers that mean no good. With
real ones: tests/oauth/test_mail.py."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from flowforge.connectors.mail_transport import bearer
from flowforge.connectors.mail_transport.account import AccessTokens, Account, MailTarget
from flowforge.connectors.mail_transport.addresses import mail_target
from flowforge.connectors.mail_transport.bearer import MECHANISMS, BearerExchange
from flowforge.connectors.sdk import ConnectorError, StepContext

TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
"""That of Google's example."""
ACCOUNT = Account("imap.example.com", 993, "someuser@example.com", "", "tls")
XOAUTH2, OAUTHBEARER = MECHANISMS


def with_tokens(renewed: bool = False, **more: object) -> Account:
    tokens = AccessTokens(lambda: TOKEN, lambda: renewed)
    values = {"host": "127.0.0.1", "port": 143, "username": "ada@example.test", "password": "", "security": "none"}
    return Account(**{**values, "tokens": tokens, **more})  # type: ignore[arg-type]


class TestMessages:
    def test_xoauth2_is_that_of_googles_example(self) -> None:
        """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol#initial_client_response"""
        assert b64encode(XOAUTH2.message(ACCOUNT, TOKEN).encode()).decode() == (
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52"
            "YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        )

    def test_oauthbearer_is_that_of_the_standards_example(self) -> None:
        """RFC 7628, 4.1, with our token."""
        account = Account("server.example.com", 143, "user@example.com", "", "starttls")
        assert OAUTHBEARER.message(account, TOKEN) == (
            f"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {TOKEN}\x01\x01"
        )

    def test_names_with_commas_are_no_more_than_names(self) -> None:
        account = Account("h", 1, "a,b=c", "", "tls")
        assert OAUTHBEARER.message(account, "t").startswith("n,a=a=2Cb=3Dc,\x01")


class TestRefusals:
    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            (b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}', "status 401, scope https://m"),
            (b'{"status":"invalid_token","scope":"mail"}', "status invalid_token, scope mail"),
            (b"no such user", "no such user"),
            (b'["status"]', '["status"]'),
            (b"7", "7"),
            (b"{}", "NO"),
            (b"\xff\x00\x1b[31m", "�"),
            (b"[" * 100_000, "[[["),
        ],
    )
    def test_the_reason_is_told_in_words(self, reason: bytes, words: str) -> None:
        def refuse(exchange: BearerExchange) -> bool:
            assert exchange.respond(b"") == exchange.message
            assert exchange.respond(reason) == b""
            exchange.note_refusal("NO")
            return False

        with pytest.raises(ConnectorError) as refused:
            bearer.sign_in(with_tokens(), ["XOAUTH2"], refuse)
        said = str(refused.value)
        assert words in said
        assert said.isprintable()
        assert len(said) < 1_000
        assert refused.value.permanent

    def test_what_is_sent_back_is_masked(self) -> None:
        def repeat(exchange: BearerExchange) -> bool:
            exchange.note_refusal(f"what is {TOKEN} or {b64encode(exchange.message).decode()}?")
            return False

        with pytest.raises(ConnectorError) as refused:
            bearer.sign_in(with_tokens(), ["XOAUTH2"], repeat)
        assert TOKEN[:12] not in str(refused.value)
        assert b64encode(TOKEN.encode()).decode()[4:12] not in str(refused.value)

    def test_a_server_that_cannot_say_now_is_asked_again(self) -> None:
        def refuse(exchange: BearerExchange) -> bool:
            exchange.note_refusal("[UNAVAILABLE] the directory is away")
            return False

        with pytest.raises(ConnectorError) as refused:
            bearer.sign_in(with_tokens(), ["OAUTHBEARER"], refuse)
        assert not refused.value.permanent

    def test_a_renewed_token_is_tried_once(self) -> None:
        tried: list[bytes] = []
        with pytest.raises(ConnectorError):
            bearer.sign_in(with_tokens(renewed=True), ["XOAUTH2"], lambda one: bool(tried.append(one.message)))
        assert len(tried) == 2


class TestWhatIsNotSent:
    def never(self, _: BearerExchange) -> bool:
        raise AssertionError

    @pytest.mark.parametrize(
        ("account", "offered", "why"),
        [
            (with_tokens(host="mail.example.com"), ["XOAUTH2"], "by TLS only"),
            (with_tokens(username="a\x01auth=Bearer x"), ["XOAUTH2"], "control characters"),
            (with_tokens(), ["PLAIN", "LOGIN"], "no sign-in by OAuth"),
        ],
    )
    def test_a_token_is_not(self, account: Account, offered: list[str], why: str) -> None:
        with pytest.raises(ConnectorError, match=why):
            bearer.sign_in(account, offered, self.never)

    def test_of_two_mechanisms_that_of_the_large_providers_is_taken(self) -> None:
        taken: list[str] = []
        bearer.sign_in(with_tokens(), ["OAUTHBEARER", "XOAUTH2"], lambda one: not taken.append(one.mechanism.name))  # type: ignore[func-returns-value]
        assert taken == ["XOAUTH2"]


class TestServersThatDoNotEnd:
    """They answer whatever they are sent by another challenge."""

    def test_over_imap(self, context: StepContext) -> None:
        greeting = b"* OK hi\r\n"
        capability = b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n%s OK done\r\n"
        with challenging(greeting, lambda tag: capability % tag, b"+ \r\n") as port:
            account = with_tokens(port=port)
            with (
                pytest.raises(ConnectorError, match="does not come to an end"),
                context.tools.mail.imap_session(account, context.deadline),
            ):
                pass

    def test_over_smtp(self, context: StepContext) -> None:
        with challenging(b"220 hi\r\n", lambda _: b"250-hi\r\n250 AUTH XOAUTH2\r\n", b"334 \r\n") as port:
            account = with_tokens(port=port)
            with (
                pytest.raises(ConnectorError, match="does not come to an end"),
                context.tools.mail.session(account, context.deadline),
            ):
                pass


@contextmanager
def challenging(greeting: bytes, first: Callable[[bytes], bytes], challenge: bytes) -> Iterator[int]:
    """The port of a server that greets, answers one command, and anything after that by a challenge."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            lines = connection.makefile("rb")
            connection.sendall(greeting)
            connection.sendall(first(lines.readline().partition(b" ")[0]))
            for _line in lines:
                connection.sendall(challenge)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve, listener)
        yield listener.getsockname()[1]
        served.result()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("imaps://imap.example.com", MailTarget("imap", "imap.example.com", None, "tls")),
        ("imap://imap.example.com:1143", MailTarget("imap", "imap.example.com", 1143, "starttls")),
        (
            "SMTPS://shared%40example.com@mx.example.com",
            MailTarget("smtp", "mx.example.com", None, "tls", "shared@example.com"),
        ),
        ("smtp://127.0.0.1:25", MailTarget("smtp", "127.0.0.1", 25, "none")),
    ],
)
def test_an_address_says_which_account_is_meant(url: str, target: MailTarget) -> None:
    assert mail_target(url) == target
