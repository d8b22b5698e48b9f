"""SEND_EMAIL against a real mail server, and against servers that misbehave at every point of the conversation."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.mail.addresses import quoted
from flowforge.settings import Settings
from tests.connectors.certificate import make_certificate
from tests.connectors.running import run
from tests.services.smtp import Inbox, only_ada, serving

MakeContext = Callable[..., StepContext]


def send(context: StepContext, **config: Any) -> dict[str, Any]:
    return run("SEND_EMAIL", {"to": "a@x.test", "text": "Hello"} | config, context)


@pytest.fixture
def context(inbox: Inbox, make_context: MakeContext) -> Iterator[StepContext]:
    """Of an instance whose own mail server is the inbox's."""
    with serving(inbox) as port:
        yield make_context(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from="ff@x.test")


class TestDelivery:
    def test_a_mail_arrives(self, inbox: Inbox, context: StepContext) -> None:
        output = send(context, to="a@x.test, b@x.test", subject="Hi")
        assert (output["accepted"], output["refused"]) == (True, [])
        [mail] = inbox.mails
        assert (mail["Subject"], mail["From"], mail["To"]) == ("Hi", "ff@x.test", "a@x.test, b@x.test")
        assert mail["Message-ID"] == output["messageId"]

    def test_the_addresses_a_server_refuses_are_told(self, inbox: Inbox, context: StepContext) -> None:
        assert send(context, to="a@x.test, refused@x.test")["refused"] == ["refused@x.test"]
        assert len(inbox.mails) == 1

    def test_a_mail_that_every_recipient_is_refused_for_fails_for_good(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError, match="refused every recipient") as caught:
            send(context, to="refused@x.test")
        assert caught.value.permanent

    @pytest.mark.parametrize("field", ["subject", "to"])
    def test_a_line_break_in_a_header_is_refused(self, context: StepContext, field: str) -> None:
        with pytest.raises(ConnectorError) as caught:
            send(context, **{field: "a@x.test\r\nBcc: b@x.test"})
        assert caught.value.permanent

    def test_no_server_is_a_clear_failure(self, make_context: MakeContext) -> None:
        with pytest.raises(ConnectorError, match="no SMTP server"):
            send(make_context())


def shown(mail: Message, name: str) -> str:
    """A header as a mail program shows it."""
    return str(make_header(decode_header("".join(mail[name].splitlines()))))


def bodies(mail: Message) -> dict[str, str]:
    """The texts by their types."""
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    return {part.get_content_type(): part.get_payload(decode=True).decode() for part in leaves}  # type: ignore[union-attr]


class TestTheWire:
    def test_has_what_strict_servers_want(self, inbox: Inbox, context: StepContext) -> None:
        send(context, subject="Hi")
        send(context, subject="Hi")
        first, second = inbox.mails
        age = datetime.now(UTC) - parsedate_to_datetime(first["Date"])
        assert timedelta(0) <= age < timedelta(minutes=1)
        assert first["MIME-Version"] == "1.0"
        assert first["Message-ID"] == second["Message-ID"] == "<key-1@x.test>", "a repeat of the same call"

    @pytest.mark.parametrize(
        "subject",
        [
            "Grüße",
            "注文 17 が届きました",
            "😀 " * 90,
            "ש" * 500,
            "=?utf-8?q?not_encoded?=",
            "Order  17:  two  blanks",
            "word " * 150,
            "x" * 998,
        ],
    )
    def test_carries_subjects_in_every_language(self, inbox: Inbox, context: StepContext, subject: str) -> None:
        send(context, subject=subject)
        assert shown(inbox.mails[0], "Subject") == subject.strip()
        assert longest_line(inbox.wires[0]) <= 998

    @pytest.mark.parametrize("name", ["Doe, Jane", "Müller, Jürgen", "J. Doe", 'Ann "A" Doe', "日本 太郎", "Ü" * 150])
    def test_carries_names_in_every_language(self, inbox: Inbox, context: StepContext, name: str) -> None:
        people = [f"{quoted(name)} <jane@x.test>", "ann@x.test"]
        send(context, to=people, replyTo=people[0])
        [mail] = inbox.mails
        assert mail["X-RcptTo"] == "jane@x.test, ann@x.test"
        [(to, mailbox), _] = getaddresses([mail["To"]])
        assert (str(make_header(decode_header(to))), mailbox) == (name, "jane@x.test")
        assert shown(mail, "Reply-To").startswith((name, quoted(name)))
        assert inbox.wires[0].isascii()

    @pytest.mark.parametrize("subject", ["Order 17\n", "\r\n Order 17 \r"])
    def test_blanks_around_a_subject_are_left_out(self, inbox: Inbox, context: StepContext, subject: str) -> None:
        send(context, subject=subject, text="plain body")
        [mail] = inbox.mails
        assert (mail["Subject"], mail.get_payload(decode=True)) == ("Order 17", b"plain body\r\n")

    @pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028"])
    @pytest.mark.parametrize("field", ["subject", "to", "cc", "bcc", "replyTo"])
    def test_no_header_has_a_line_break_in_it(self, context: StepContext, field: str, line_break: str) -> None:
        bad = f"Ann{line_break}Bcc: b <a@x.test>"
        with pytest.raises(ConnectorError, match=f"{field}: ") as caught:
            send(context, **{field: bad})
        assert caught.value.permanent

    def test_has_no_bare_line_feeds_and_no_nul(self, inbox: Inbox, context: StepContext) -> None:
        text = "a\rb\nc\r\nd\0\n.\n..\n" + "ü" * 5_000
        send(context, subject="tab\there", text=text, html="<p>x\0\n" + "y" * 5_000)
        [wire] = inbox.wires
        assert b"\n" not in wire.replace(b"\r\n", b"")
        assert b"\0" not in wire
        assert longest_line(wire) <= 998
        assert bodies(inbox.mails[0])["text/plain"].replace("\r\n", "\n").startswith("a\nb\nc\nd\ufffd\n.\n..\nü")

    def test_html_gets_a_text_part_made_of_it(self, inbox: Inbox, context: StepContext) -> None:
        html = "<style>p{}</style><p>Grüße,<br>please <a href='https://x.test/c'>confirm</a>"
        send(context, text="", html=html)
        send(context, text="own", html=html)
        made, own = map(bodies, inbox.mails)
        assert made["text/plain"].split("\r\n") == ["Grüße,", "please confirm (https://x.test/c)", ""]
        assert made["text/html"].rstrip() == html
        assert own["text/plain"].rstrip() == "own"

    def test_domains_in_other_scripts_are_written_as_servers_know_them(
        self, inbox: Inbox, context: StepContext
    ) -> None:
        send(context, to="jane@bücher.example")
        assert inbox.mails[0]["X-RcptTo"] == inbox.mails[0]["To"] == "jane@xn--bcher-kva.example"

    def test_mailboxes_in_other_scripts_go_to_servers_that_take_them(
        self, inbox: Inbox, make_context: MakeContext
    ) -> None:
        with serving(inbox, enable_SMTPUTF8=True) as port:
            send(make_context(**own(port)), to="Jürgen <jürgen@x.test>", subject="Grüße")
        [wire] = inbox.wires
        assert "<jürgen@x.test>".encode() in wire
        with answering(*ACCEPTED) as (port, _), pytest.raises(ConnectorError, match="SMTPUTF8") as caught:
            send(make_context(**own(port)), to="jürgen@x.test")
        assert caught.value.permanent


class TestAttachments:
    @pytest.mark.parametrize("name", ["a b.pdf", "Rechnung März.pdf", "日本" * 60 + ".pdf", 'q"u;o\\te.txt', ""])
    @pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 300], ids=["empty", "small", "large"])
    def test_arrive_as_they_are(self, inbox: Inbox, context: StepContext, name: str, content: bytes) -> None:
        file = {"name": name, "type": "application/pdf", "base64": b64encode(content).decode()}
        send(context, subject="Grüße", text="Hello", html="<p>Hello", attachments=[file, file])
        [mail] = inbox.mails
        body, *attached = mail.get_payload()
        assert body.get_content_type() == "multipart/alternative"  # type: ignore[union-attr]
        for part in attached:
            assert part.get_payload(decode=True) == content  # type: ignore[union-attr]
            assert (part.get_content_type(), part.get_filename() or "") == ("application/pdf", name)  # type: ignore[union-attr]
        assert longest_line(inbox.wires[0]) <= 998

    def test_an_attached_mail_is_a_file_like_others(self, inbox: Inbox, context: StepContext) -> None:
        """Whose encoding the standard forbids under its own type (RFC 2046, section 5.2.1)."""
        file = {"name": "a.eml", "type": "message/rfc822", "base64": b64encode(b"Subject: x\n\n.").decode()}
        send(context, attachments=file)
        [_, part] = inbox.mails[0].get_payload()
        assert part.get_content_type() == "application/octet-stream"  # type: ignore[union-attr]

    @pytest.mark.parametrize("wrong", ["a.pdf", {"name": "a.pdf"}, [{"base64": "%"}]])
    def test_what_is_no_file_is_named(self, context: StepContext, wrong: object) -> None:
        with pytest.raises(ConnectorError, match="attachments") as caught:
            send(context, attachments=wrong)
        assert caught.value.permanent


class TestRecipients:
    def test_blind_copies_stand_nowhere_in_the_mail(self, inbox: Inbox, context: StepContext) -> None:
        send(context, to="a@x.test", cc="Bob <b@x.test>; c@x.test", bcc=["d@x.test", "a@x.test"])
        [mail] = inbox.mails
        assert mail["X-RcptTo"] == "a@x.test, b@x.test, c@x.test, d@x.test"
        assert mail["Cc"] == "Bob <b@x.test>, c@x.test"
        assert b"d@x.test" not in inbox.wires[0]

    @pytest.mark.parametrize(
        ("to", "said"),
        [
            ("", "to: is empty"),
            ([""], "to: is empty"),
            ("undisclosed-recipients:;", "to: is empty"),
            ("a@x.test, bob", "to: 'bob' is not a mail address"),
            (["a@x.test, b@x.test"], "to: 'a@x.test, b@x.test' are several addresses"),
            (5, "to: has to be addresses"),
            ([{"a": 1}], "to: has to be a mail address"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, context: StepContext, to: object, said: str) -> None:
        with pytest.raises(ConnectorError, match=said) as caught:
            send(context, to=to)
        assert caught.value.permanent

    def test_one_text_may_hold_several_where_that_is_wanted(self, inbox: Inbox, context: StepContext) -> None:
        several = ['"B, C" <b@x.test>; c@x.test', ["d@x.test"]]
        send(context, severalAddresses=True, to=several, cc="e@x.test, f@x.test")
        assert inbox.mails[0]["X-RcptTo"] == "b@x.test, c@x.test, d@x.test, e@x.test, f@x.test"

    def test_a_sender_that_is_no_address_is_named(self, context: StepContext) -> None:
        with pytest.raises(ConnectorError, match="from: 'The boss' is not a mail address"):
            send(context, **{"from": "The boss"})


class TestTheInstancesServerIsNoRelay:
    def test_it_sends_under_its_own_address_whatever_a_step_says(self, inbox: Inbox, context: StepContext) -> None:
        send(context, **{"from": "The boss <boss@company.test>"})
        [mail] = inbox.mails
        assert (mail["From"], mail["X-MailFrom"]) == ("ff@x.test", "ff@x.test")

    def test_without_an_address_it_sends_nothing(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port, pytest.raises(ConnectorError, match="SMTP_FROM is not set") as caught:
            send(make_context(**own(port) | {"smtp_from": ""}), **{"from": "a@x.test"})
        assert caught.value.permanent
        assert inbox.mails == []
        assert Settings(_env_file=None, smtp_username="ada@x.test").mail_sender == "ada@x.test"

    def test_a_server_of_their_own_sends_under_any(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port:
            account = {"host": "127.0.0.1", "port": port, "security": "none", "from": "a@x.test"}
            many = [f"b{number}@x.test" for number in range(60)]
            assert send(make_context(allowance=0), **account, to=many)["accepted"]
        [mail] = inbox.mails
        assert mail["From"] == "a@x.test"

    @pytest.mark.parametrize("field", ["to", "cc", "bcc"])
    def test_a_mail_has_at_most_50_recipients(self, inbox: Inbox, context: StepContext, field: str) -> None:
        others = [f"b{number}@x.test" for number in range(50)]
        with pytest.raises(ConnectorError, match="may have 50 recipients") as caught:
            send(context, **{"to": "a@x.test", field: ["a@x.test", *others]})
        assert caught.value.permanent
        assert inbox.mails == []
        assert send(context, to="a@x.test", bcc=others[:49])["accepted"]

    def test_what_an_account_may_not_send_any_more_is_not_sent(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port:
            context = make_context(allowance=2, **own(port))
            assert send(context, to="a@x.test, b@x.test")["accepted"]
            with pytest.raises(ConnectorError, match="all the mails that it may send today") as caught:
                send(context, to="a@x.test, b@x.test", bcc="c@x.test")
        assert caught.value.permanent
        assert len(inbox.mails) == 1


class TestSecurity:
    @pytest.fixture
    def tls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """Of a server whose certificate this machine trusts."""
        certificate = make_certificate(tmp_path, "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        return context

    def test_signs_in_over_starttls(self, inbox: Inbox, tls: ssl.SSLContext, make_context: MakeContext) -> None:
        account = {"host": "127.0.0.1", "from": "a@x.test", "username": "ada"}
        with serving(inbox, tls_context=tls, authenticator=only_ada, auth_required=True) as port:
            assert send(make_context(), **account, port=port, password="s3cret")["accepted"]
            with pytest.raises(ConnectorError, match="refused the user name or password") as caught:
                send(make_context(), **account, port=port, password="wrong")
        assert caught.value.permanent
        assert len(inbox.mails) == 1

    def test_a_server_without_starttls_gets_no_mail(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port, pytest.raises(ConnectorError, match="STARTTLS") as caught:
            send(make_context(), host="127.0.0.1", port=port, **{"from": "a@x.test"})
        assert caught.value.permanent
        assert inbox.mails == []

    def test_a_certificate_nobody_vouches_for_is_refused(
        self, inbox: Inbox, tls: ssl.SSLContext, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with serving(inbox, tls_context=tls) as port, pytest.raises(ConnectorError, match="no certificate") as caught:
            send(make_context(), host="127.0.0.1", port=port, **{"from": "a@x.test"})
        assert caught.value.permanent


class TestPrivateNetworks:
    def test_the_instances_own_server_may_be_private(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port:
            own = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@x.test"}
            assert send(make_context(networks="false", **own))["accepted"]

    def test_a_server_that_a_step_names_may_not(self, inbox: Inbox, make_context: MakeContext) -> None:
        with serving(inbox) as port:
            # Not even where it is the instance's own: only the operator may say that.
            own = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@x.test"}
            context = make_context(networks="false", **own)
            with pytest.raises(ConnectorError, match="private network") as caught:
                send(context, host="127.0.0.1", port=port, security="none")
        assert caught.value.permanent
        assert inbox.mails == []


ACCEPTED = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go on\r\n", b"250 taken\r\n")
"""To connecting, EHLO, MAIL, RCPT, DATA, and the mail itself."""


@contextmanager
def answering(*answers: bytes, drip: bool = False, hang: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A port that gives these answers, the last one byte by byte or never, and then hangs up; and what it was told."""
    told: list[bytes] = []
    ending = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def say(connection: socket.socket, answer: bytes, last: bool) -> None:
        if last and hang:
            ending.wait()
        elif last and drip:
            for byte in answer * 1_000:
                connection.sendall(bytes([byte]))
                if ending.wait(0.05):
                    return
        else:
            connection.sendall(answer)

    def hear(connection: socket.socket, until: bytes) -> None:
        heard = b""
        while not heard.endswith(until):
            data = connection.recv(4096)
            if not data:
                raise OSError
            heard += data
        told.append(heard)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                for number, answer in enumerate(answers):
                    if number:
                        hear(connection, b"\r\n.\r\n" if number == 5 else b"\r\n")
                    say(connection, answer, number == len(answers) - 1)
            except OSError:
                return  # the client had enough

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1]), told
    finally:
        ending.set()
        thread.join()
        listener.close()


def longest_line(wire: bytes) -> int:
    return max(map(len, wire.split(b"\r\n")))


def own(port: int) -> dict[str, Any]:
    return {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@x.test"}


class TestServersThatMisbehave:
    @pytest.mark.parametrize("length", range(1, 7))
    def test_a_server_that_drips_is_cut_at_the_deadline(self, make_context: MakeContext, length: int) -> None:
        with answering(*ACCEPTED[: length - 1], b"250-more\r\n", drip=True) as (port, _):
            context = make_context(seconds=1.0, **own(port))
            with pytest.raises(ConnectorError, match=r"127\.0\.0\.1 did not take the mail in time") as caught:
                send(context)
        assert not caught.value.permanent
        assert time.monotonic() < context.deadline + 5

    @pytest.mark.parametrize("cut", [b"2", b"25", b"250", b"250 tak"])
    def test_an_answer_that_is_cut_off_is_none(self, make_context: MakeContext, cut: bytes) -> None:
        with (
            answering(*ACCEPTED[:-1], cut) as (port, _),
            pytest.raises(ConnectorError, match=r"the connection to the mail server 127\.0\.0\.1 failed"),
        ):
            send(make_context(**own(port)))

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    def test_a_server_that_drips_instead_of_beginning_tls_is_cut(
        self, make_context: MakeContext, security: str
    ) -> None:
        before = {"tls": [], "starttls": [b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n"]}[security]
        answers = [*before, b"" if security == "tls" else b"220 begin\r\n", b"\x16\x03\x03\x40\x00"]
        with answering(*answers, drip=True) as (port, _):
            context = make_context(seconds=1.0, **own(port) | {"smtp_security": security})
            with pytest.raises(ConnectorError, match="in time"):
                send(context)

    def test_a_server_that_never_answers_is_left_at_the_deadline(self, make_context: MakeContext) -> None:
        with answering(b"", hang=True) as (port, _), pytest.raises(ConnectorError, match="in time"):
            send(make_context(seconds=0.5, **own(port)))

    def test_a_server_that_never_stops_talking_is_left(self, make_context: MakeContext) -> None:
        with answering(b"220-hello\r\n" * 200_000) as (port, _), pytest.raises(ConnectorError, match="failed"):
            send(make_context(**own(port)))

    def test_something_else_than_a_mail_server_is_named_so(self, make_context: MakeContext) -> None:
        with answering(b"SSH-2.0-x\r\n") as (port, _), pytest.raises(ConnectorError, match="as a mail server does"):
            send(make_context(**own(port)))

    @pytest.mark.parametrize(("code", "permanent"), [(421, False), (451, False), (552, True)])
    def test_a_refusal_says_whether_trying_again_can_help(
        self, make_context: MakeContext, code: int, permanent: bool
    ) -> None:
        answers = [*ACCEPTED[:5], b"%d no\r\n" % code, b"250 reset\r\n"]
        with answering(*answers) as (port, _), pytest.raises(ConnectorError, match=f"answered {code}") as caught:
            send(make_context(**own(port)))
        assert caught.value.permanent is permanent


class TestGoodbye:
    """Once the server has the mail, nothing may make the step fail: it would be sent again."""

    @pytest.mark.parametrize(
        ("answers", "how"),
        [((), {}), ((b"500 what?\r\n",), {}), ((b"garbage",), {}), ((b"221-x\r\n",), {"drip": True})],
        ids=["hangs up", "refuses", "garbage", "drips"],
    )
    def test_a_failing_goodbye_changes_nothing(
        self, make_context: MakeContext, answers: tuple[bytes, ...], how: dict[str, bool]
    ) -> None:
        with answering(*ACCEPTED, *answers, **how) as (port, told):
            assert send(make_context(**own(port)))["accepted"]
        assert sum(b"Hello" in one for one in told) == 1

    def test_a_deadline_that_comes_with_the_goodbye_changes_nothing(self, make_context: MakeContext) -> None:
        with answering(*ACCEPTED, b"221 bye\r\n", hang=True) as (port, _):
            assert send(make_context(seconds=1.0, **own(port)))["accepted"]
