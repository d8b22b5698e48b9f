"""From a mail and an email trigger's configuration to a payload."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.settings import Settings
from flowforge.triggers.kinds.email import KIND
from flowforge.triggers.mailboxes import mail
from flowforge.triggers.mailboxes.mail import LARGEST_BODY, Received
from flowforge.triggers.mailboxes.mailbox import Mailbox, Server, StartWith

DEFAULT = Server("imap.default.test", 993, True)
SETTINGS = Settings.model_construct(
    email_imap_host=DEFAULT.host, email_imap_port=DEFAULT.port, email_imap_secure=DEFAULT.secure
)


def read(config: dict[str, Any]) -> Mailbox:
    return KIND.read(config).mailbox(SETTINGS)


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
    def test_no_mail_takes_more_time_than_it_has_bytes(self, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
        """None of these reaches its limit, which is far below the minutes that they took."""
        monkeypatch.setattr(mail, "HEADER_SECONDS", 0.5)
        monkeypatch.setattr(mail, "CONTENT_SECONDS", 0.5)
        assert "truncated" not in payload(head + b"\r\n\r\n" + b"<a " * 10_000 + b"-" + b"a" * 220_000)

    def test_a_mail_that_takes_too_long_is_left_unread_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Thousands of lines, each compared with hundreds of boundaries."""
        monkeypatch.setattr(mail, "CONTENT_SECONDS", 0.05)
        boundaries = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300))
        result = payload(b"Subject: here\r\n" + b"".join(boundaries) + b"\r\n" + b"-\n" * 20_000)
        assert (result["subject"], result["body"], result["truncated"]) == ("here", "", True)

    @settings(deadline=None)
    @given(st.binary(max_size=400))
    def test_no_bytes_are_too_strange(self, noise: bytes) -> None:
        jsonio.dumps_for_database(payload(b"Subject: x\r\nContent-Type: text/html\r\n" + noise))


class TestMailbox:
    def test_defaults_come_from_the_settings(self) -> None:
        mailbox = read({"emailAddress": "me@x.test", "password": "p"})
        assert mailbox == Mailbox(DEFAULT, "me@x.test", "p", "INBOX", "", "", StartWith.NEW)

    @pytest.mark.parametrize(
        ("config", "server"),
        [
            ({"host": "h"}, Server("h", 993, True)),
            ({"host": "h", "secure": False}, Server("h", 143, False)),
            ({"host": "h", "secure": "false"}, Server("h", 143, False)),
            ({"host": "h", "secure": "true", "port": "1993"}, Server("h", 1993, True)),
            ({"port": 1993}, Server(DEFAULT.host, 1993, True)),
        ],
    )
    def test_the_server(self, config: dict[str, Any], server: Server) -> None:
        assert read({"username": "me", "password": "p"} | config).server == server

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
        assert "hush" not in repr(Mailbox(DEFAULT, "me", "hush"))

    @pytest.mark.parametrize(
        ("subject", "sender", "accepted"),
        [
            ("Your ORDER 17", "Shop <Sales@Shop.test>", True),
            ("Your order 17", "other@else.test", False),
            ("Newsletter", "sales@shop.test", False),
        ],
    )
    def test_both_filters_must_match_whatever_the_case(self, subject: str, sender: str, accepted: bool) -> None:
        mailbox = Mailbox(DEFAULT, "me", "p", subject_contains="order", from_address="sales@SHOP")
        assert mailbox.accepts(subject, sender) is accepted

    def test_without_filters_everything_counts(self) -> None:
        assert Mailbox(DEFAULT, "me", "p").accepts("", "")
