"""From a mail and an email trigger's configuration to a payload."""

from __future__ import annotations

import base64
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge import jsonio
from flowforge.connectors.mail_transport.account import Account, Security
from flowforge.connectors.mail_transport.mailbox import Received
from flowforge.engine.account_access import AccountAccess
from flowforge.errors import Invalid
from flowforge.mail import addresses
from flowforge.settings import Settings
from flowforge.triggers.kinds.email import KIND
from flowforge.triggers.mailboxes import mail
from flowforge.triggers.mailboxes.mail import LARGEST_BODY
from flowforge.triggers.mailboxes.mailbox import Mailbox, StartWith
from flowforge.wiring import Backends

SETTINGS = Settings.model_construct(email_imap_host="imap.default.test", email_imap_port=993, email_imap_secure=True)


def read(config: dict[str, Any]) -> Mailbox:
    return KIND.read(config).mailbox(AccountAccess(Backends(SETTINGS, "test"), UUID(int=0), deadline=0))


def account(server: str = "imap.default.test", port: int = 993, security: Security = "tls") -> Account:
    return Account(server, port, "me@x.test", "p", security)


ARRIVED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def payload(message: EmailMessage | bytes, size: int | None = None) -> dict[str, Any]:
    raw = message if isinstance(message, bytes) else message.as_bytes()
    return mail.payload(Received(raw, size or len(raw), ARRIVED))


def simple(body: str = "Hello", subject: str = "Order", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = headers.get("sender", "Jane Doe <jane@shop.test>")
    message["To"] = "orders@flow.test, Ops <ops@flow.test>"
    message["Subject"] = subject
    message["Message-ID"] = "<1@shop.test>"
    message.set_content(body)
    return message


def simple_html(html: str) -> EmailMessage:
    message = simple()
    message.set_content(html, subtype="html")
    return message


def parts(*written: str) -> bytes:
    """A mail of these parts, each with its head."""
    separated = "".join(f"--B\r\n{part}\r\n" for part in written)
    return f"Content-Type: multipart/mixed; boundary=B\r\n\r\n{separated}--B--\r\n".encode()


class TestPayload:
    def test_a_plain_mail(self) -> None:
        assert payload(simple("Grüße\n", "Bestellung für Möbel")) == {
            "subject": "Bestellung für Möbel",
            "from": "Jane Doe <jane@shop.test>",
            "body": "Grüße\n",
            "receivedDate": "2026-03-04T05:06:07.000Z",
            "contentType": "text",
            "to": ["orders@flow.test", "Ops <ops@flow.test>"],
            "messageId": "<1@shop.test>",
            "attachments": [],
            "cc": [],
            "replyTo": [],
            "text": "Grüße\n",
            "html": "",
            "links": [],
            "headers": {
                "from": "Jane Doe <jane@shop.test>",
                "to": "orders@flow.test, Ops <ops@flow.test>",
                "subject": "Bestellung für Möbel",
                "message-id": "<1@shop.test>",
                "content-type": 'text/plain; charset="utf-8"',
                "content-transfer-encoding": "8bit",
                "mime-version": "1.0",
            },
            "report": None,
        }

    def test_the_plain_part_is_preferred_and_attachments_are_listed(self) -> None:
        message = simple("as text")
        message.add_alternative("<p>as html</p>", subtype="html")
        message.add_attachment(b"x" * 321, maintype="application", subtype="pdf", filename="Rechnung März.pdf")
        result = payload(message)
        assert result["body"] == "as text\n"
        assert result["contentType"] == "multipart"
        assert result["attachments"] == [{"name": "Rechnung März.pdf", "type": "application/pdf", "size": 321}]

    def test_html_is_read_where_there_is_nothing_else(self) -> None:
        message = simple()
        message.set_content(
            "<html><head><title>no</title><style>p{}</style></head><body><p>Dear&nbsp;you,</p>"
            "<script>alert(1)</script><div>3 &lt; 4<br>yours</div></body></html>",
            subtype="html",
        )
        assert payload(message)["body"] == "Dear you,\n3 < 4\nyours"

    @pytest.mark.parametrize(
        "head",
        [
            '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Order</title><body>',
            "<HEAD />",
            "<title>a < b</title>",
            "<head><style>p > a { color: red }</style>",
            "<!--[if mso]><p>no</p><![endif]-->",
        ],
    )
    def test_html_is_read_as_browsers_read_it(self, head: str) -> None:
        result = payload(simple_html(f"{head}<p title='a > b'>Order\n17<p>is ready"))
        assert (result["body"], result["text"]) == ("Order 17\nis ready", "")
        assert result["html"].startswith(head)

    def test_links_of_html_are_told_with_their_words(self) -> None:
        html = """
            <p>Please <a class="b" href=" https://shop.test/confirm?k=7&amp;v=1 ">confirm <b>now</b></a>,
            <A HREF='mailto:help@shop.test'><img src=x alt="Help"></A>
            <a href="javascript:alert(1)">no</a> <a name="top">no</a> <a href=http://shop.test/open>open"""
        assert payload(simple_html(html))["links"] == [
            {"url": "https://shop.test/confirm?k=7&v=1", "text": "confirm now"},
            {"url": "mailto:help@shop.test", "text": "Help"},
            {"url": "http://shop.test/open", "text": "open"},
        ]

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("Go to <https://shop.test/c?k=7>.", "https://shop.test/c?k=7"),
            ("(see https://shop.test/a_(b)).", "https://shop.test/a_(b)"),
            ("HTTP://shop.test/ü, now", "HTTP://shop.test/ü"),
        ],
    )
    def test_links_of_plain_text_are_told(self, text: str, url: str) -> None:
        assert payload(simple(text))["links"] == [{"url": url, "text": url}]

    def test_all_headers_are_told_decoded_and_repeated_ones_as_a_list(self) -> None:
        raw = (
            b"Received: by a.test\r\nReceived: by b.test;\r\n\tMon, 5 Jan 2026\r\n"
            b"List-Id: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <l.test>\r\n"
            b"Cc: a@x.test, Bob <b@x.test>\r\n"
            b'Reply-To: "Doe, Jane" <jane@x.test>\r\n\r\n'
        )
        result = payload(raw)
        assert result["headers"]["received"] == ["by a.test", "by b.test; Mon, 5 Jan 2026"]
        assert result["headers"]["list-id"] == "Grüße <l.test>"
        assert result["cc"] == ["a@x.test", "Bob <b@x.test>"]
        assert result["replyTo"] == ['"Doe, Jane" <jane@x.test>']

    @pytest.mark.parametrize(
        "sender",
        [
            b'"Doe, Jane" <jane@x.test>',
            b"Doe, Jane <jane@x.test>",
            b"=?utf-8?q?Doe=2C_Jane?= <jane@x.test>",
            b"jane@x.test (Doe, Jane)",
            b'"=?utf-8?q?Doe=2C_Jane?="\r\n <jane@x.test>',
        ],
    )
    def test_a_sender_can_be_answered(self, sender: bytes) -> None:
        told = payload(b"From: " + sender + b"\r\n\r\n")["from"]
        assert told == '"Doe, Jane" <jane@x.test>'
        assert str(addresses.read(told)) == told

    @pytest.mark.parametrize(
        ("kind", "attached"),
        [
            ("message/rfc822", "From: b@x.test\r\nSubject: inner\r\n\r\ntext of the other mail"),
            ('message/rfc822; name="case.eml"', "Content-Type: text/html\r\n\r\n<p>text of the other mail"),
            ("text/plain; name=a.txt", "text of the other mail"),
            ("text/plain\r\nContent-Disposition: attachment", "text of the other mail"),
            (
                "multipart/digest; boundary=C",
                "--C\r\n\r\nSubject: x\r\n\r\ntext of the other mail\r\n--C\r\n\r\nSubject: y\r\n\r\nz\r\n--C--",
            ),
        ],
        ids=["mail", "mail of HTML", "named text", "attached text", "digest"],
    )
    def test_what_is_attached_is_no_part_of_the_body(self, kind: str, attached: str) -> None:
        result = payload(
            parts("Content-Type: text/plain\r\n\r\nplease look", f"Content-Type: {kind}\r\n\r\n{attached}")
        )
        assert result["body"].strip() == "please look"
        assert all(one["size"] > 0 for one in result["attachments"])
        assert len(result["attachments"]) == (2 if "digest" in kind else 1)

    @pytest.mark.parametrize("encoding", ["7bit", "base64"])
    def test_an_attached_mail_has_its_own_size(self, encoding: str) -> None:
        inner = b"Subject: inner\n\n" + b"x" * 60
        sent = inner if encoding == "7bit" else b64encode(inner)
        head = f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        [attached] = payload(parts(head + sent.decode()))["attachments"]
        assert attached == {"name": "", "type": "message/rfc822", "size": len(inner)}

    def test_parts_without_a_boundary_are_text(self) -> None:
        assert payload(b"Content-Type: multipart/mixed\r\n\r\nhello")["body"] == "hello"

    def test_html_may_say_its_charset_itself(self) -> None:
        raw = b'Content-Type: text/html\r\n\r\n<html><meta charset="iso-8859-2"><p>\xb1'
        assert payload(raw)["body"] == "ą"

    def test_a_huge_body_is_cut_and_says_so(self) -> None:
        result = payload(simple("x" * (LARGEST_BODY + 500)))
        assert result["body"].startswith("xxx")
        assert "characters cut]" in result["body"]
        assert len(result["body"]) < LARGEST_BODY + 100
        assert result["truncated"] is True

    def test_a_mail_of_which_only_the_beginning_was_fetched_says_so(self) -> None:
        result = payload(simple(), size=50_000_000)
        assert (result["truncated"], result["size"]) == (True, 50_000_000)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"\r\n\r\n",
            b"no header at all",
            b"Subject: =?utf-8?B?broken\r\nFrom: <<<>\r\n\r\nx",
            b"Subject: raw \xff\xfe bytes\r\nFrom: \xff@\xfe\r\n\r\n\xff",
            b"Content-Type: text/plain; charset=nonsense\r\n\r\nx",
            b'Content-Type: text/plain; charset="a\x00b"\r\n\r\nx',
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/x; name=\xff\r\n\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!",
        ],
    )
    def test_a_broken_mail_still_makes_a_payload(self, raw: bytes) -> None:
        assert {"subject", "from", "body", "attachments"} <= payload(raw).keys()
        jsonio.dumps_for_database(payload(raw))

    @pytest.mark.parametrize("letters", [b"Gr\xfc\xdfe", "Grüße".encode()], ids=["windows-1252", "utf-8"])
    def test_letters_whose_charset_nobody_names_are_kept(self, letters: bytes) -> None:
        raw = b"Subject: " + letters + b"\r\nFrom: " + letters + b" <a@b.test>\r\n\r\n" + letters
        assert (payload(raw)["subject"], payload(raw)["body"]) == ("Grüße", "Grüße")
        assert payload(raw)["from"] == "Grüße <a@b.test>"

    @pytest.mark.parametrize(
        ("raw", "subject"),
        [
            (b"=?iso-8859-1?Q?Gr=FC=DFe_an?= =?ISO-8859-1?q?_alle?=", "Grüße an alle"),
            (b"=?utf-8?B?R3LDvMM=?=\r\n =?utf-8?B?n2U=?= today", "Grüße today"),
            (b"=?utf-8*de?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?klingon?q?a?= =?utf-8?q?b", "a =?utf-8?q?b"),
        ],
    )
    def test_subjects_in_any_charset(self, raw: bytes, subject: str) -> None:
        assert payload(b"Subject: " + raw + b"\r\n\r\n")["subject"] == subject

    def test_names_of_attachments_in_any_charset(self) -> None:
        disposition = b"attachment; filename*=iso-8859-1'de'M%E4rz.pdf"
        raw = b"Content-Type: application/pdf\r\nContent-Disposition: " + disposition + b"\r\n\r\nx"
        assert payload(raw)["attachments"] == [{"name": "März.pdf", "type": "application/pdf", "size": 1}]

    @pytest.mark.parametrize(
        "head",
        [
            b"Content-Type: text/plain; charset=punycode",
            b"Subject: =?punycode?q?" + b"a" * 10_000 + b"-" + b"a" * 20_000 + b"?=",
            b"Content-Type: text/plain; name*=punycode''" + b"a" * 10_000 + b"-" + b"a" * 20_000,
            b"Content-Type: text/html",
        ],
        ids=["body", "subject", "name", "tags without end"],
    )
    @pytest.mark.parametrize("filling", [b"<a ", b"<div>", b"<!--", b"<b><p>", b'"<', b"<@,", b"http://"])
    def test_no_mail_takes_more_time_than_it_has_bytes(self, head: bytes, filling: bytes) -> None:
        """None of these reaches its limit, which is far below the minutes that they took."""
        long = filling * (30_000 // len(filling))
        assert "truncated" not in payload(head + b"\r\nFrom: " + long + b"\r\n\r\n" + long + b"-" + b"a" * 220_000)

    def test_a_mail_that_takes_too_long_is_left_unread_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Thousands of lines, each compared with hundreds of boundaries."""
        monkeypatch.setattr(mail, "CONTENT_SECONDS", 0.05)
        monkeypatch.setattr(mail, "CONTENT_SECONDS_PER_MB", 0.0)
        boundaries = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300))
        result = payload(b"Subject: here\r\n" + b"".join(boundaries) + b"\r\n" + b"-\n" * 20_000)
        assert (result["subject"], result["body"], result["truncated"]) == ("here", "", True)

    @settings(deadline=None)
    @given(st.binary(max_size=400))
    def test_no_bytes_are_too_strange(self, noise: bytes) -> None:
        jsonio.dumps_for_database(payload(b"Subject: x\r\nContent-Type: text/html\r\n" + noise))


BOUNCE = """\
From: MAILER-DAEMON@mx.test
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=B

--B
Content-Type: text/plain

Your mail could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; late@x.test
Action: delayed
Status: 4.4.1

Original-Recipient: rfc822; Ann@x.test
Final-Recipient: RFC822;<ann@x.test>
Action: Failed
Status: 5.1.1 (bad destination mailbox address)
Diagnostic-Code: smtp; 550 5.1.1 no such
    user
--B
Content-Type: {original}

Message-ID: <sent@flow.test>
Subject: Hello

what was sent
--B--
"""


def test_of_a_mail_that_was_cut_the_last_attachment_is_no_file() -> None:
    pdf = "Content-Type: application/pdf; name={}\r\n\r\nx"
    raw = parts(pdf.format("a.pdf"), pdf.format("b.pdf"))
    received = Received(raw, 50_000_000, ARRIVED)
    whole, cut = mail.payload(received, lambda attached: {"kept": attached.name})["attachments"]
    assert whole == {"kept": "a.pdf"}
    assert (cut["name"], cut["leftOut"]) == ("b.pdf", "only the beginning of the mail was read")


class TestReports:
    @pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
    def test_a_bounce_tells_whose_mail_failed_and_why(self, original: str) -> None:
        result = payload(BOUNCE.format(original=original).encode())
        failed = {
            "recipient": "ann@x.test",
            "action": "failed",
            "status": "5.1.1",
            "diagnostic": "550 5.1.1 no such user",
        }
        late = {"recipient": "late@x.test", "action": "delayed", "status": "4.4.1", "diagnostic": ""}
        assert result["report"] == {**failed, "messageId": "<sent@flow.test>", "recipients": [failed, late]}
        assert result["body"].strip() == "Your mail could not be delivered."

    @pytest.mark.parametrize("encoding", ["8bit", "base64"])
    def test_a_bounce_of_an_address_that_is_not_ascii(self, encoding: str) -> None:
        status = (
            "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: utf-8; änn@exämple.test\nAction: failed\nStatus: 5.1.1\n\n"
            "Final-Recipient: utf-8; b\\x{F6}b@x.test\nAction: delayed\nStatus: 4.4.1\n"
        ).encode()
        body = base64.encodebytes(status) if encoding == "base64" else status
        head = f"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        mail_ = (
            b"Content-Type: multipart/report; boundary=B\r\n\r\n--B\r\n"
            + head.encode()
            + body
            + (b"\r\n--B\r\nContent-Type: message/global-headers\r\n\r\nMessage-ID: <sent@flow.test>\r\n\r\n--B--")
        )
        report = payload(mail_)["report"]
        assert [(each["recipient"], each["action"]) for each in report["recipients"]] == [
            ("änn@exämple.test", "failed"),
            ("böb@x.test", "delayed"),
        ]
        assert report["messageId"] == "<sent@flow.test>"

    def test_a_report_without_recipients_is_none(self) -> None:
        assert payload(parts("Content-Type: message/delivery-status\r\n\r\nReporting-MTA: x"))["report"] is None

    def test_a_mail_that_is_forwarded_with_a_report_inside_is_none(self) -> None:
        inner = BOUNCE.format(original="message/rfc822").replace("--B", "--C").replace("=B", "=C")
        assert payload(parts(f"Content-Type: message/rfc822\r\n\r\n{inner}"))["report"] is None


class TestMailbox:
    def test_defaults_come_from_the_settings(self) -> None:
        mailbox = read({"emailAddress": "me@x.test", "password": "p"})
        assert mailbox == Mailbox(account(), "INBOX", "", "", StartWith.NEW)

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({"host": "h"}, account("h", 993)),
            ({"host": "h", "secure": False}, account("h", 143, "none")),
            ({"host": "h", "secure": "false"}, account("h", 143, "none")),
            ({"host": "h", "secure": "true", "port": "1993"}, account("h", 1993)),
            ({"port": 1993}, account(port=1993)),
        ],
    )
    def test_the_server(self, config: dict[str, Any], expected: Account) -> None:
        assert read({"username": "me@x.test", "password": "p"} | config).account == expected

    @pytest.mark.parametrize(
        ("config", "pointer"),
        [
            ({"username": None}, "/username"),
            ({"password": ""}, "/password"),
            ({"password": 5}, "/password"),
            ({"password": "a\r\nA1 LOGOUT"}, "/password"),
            ({"folder": "INBOX\n"}, "/folder"),
            ({"port": 70000}, "/port"),
            ({"port": "imap"}, "/port"),
            ({"secure": "perhaps"}, "/secure"),
            ({"startWith": "all"}, "/startWith"),
            ({"subjectContains": {}}, "/subjectContains"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_name(self, config: dict[str, Any], pointer: str) -> None:
        with pytest.raises(Invalid) as refused:
            read({"username": "me", "password": "p"} | config)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]

    def test_the_password_is_not_shown(self) -> None:
        assert "hush" not in repr(Mailbox(Account("h", 993, "me", "hush", "tls")))

    @pytest.mark.parametrize(
        ("subject", "sender", "accepted"),
        [
            ("Your ORDER 17", "Shop <Sales@Shop.test>", True),
            ("Your order 17", "other@else.test", False),
            ("Newsletter", "sales@shop.test", False),
        ],
    )
    def test_both_filters_must_match_whatever_the_case(self, subject: str, sender: str, accepted: bool) -> None:
        mailbox = Mailbox(account(), subject_contains="order", from_address="sales@SHOP")
        assert mailbox.accepts(subject, sender) is accepted

    def test_without_filters_everything_counts(self) -> None:
        assert Mailbox(account()).accepts("", "")
