"""Texts out of files, and files out of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from flowforge.file_values import AnyFile, StoredFile
from flowforge.ids import uuid7
from flowforge.language.expressions.resolving import ExpressionError, resolve
from tests.files.described import inline

LATIN = "Grüße".encode("latin-1")
STORED = StoredFile(uuid7(), "a.txt", "text/plain; charset=iso-8859-1", 5, "0" * 64)
SCOPE: dict[str, Any] = {
    "trigger": {
        "small": inline("a.csv", "text/csv", b"a;b"),
        "latin": inline("a.txt", "text/plain; charset=iso-8859-1", LATIN),
        "empty": inline("e", "text/plain", b""),
        "former": {"base64": "aGVsbG8=", "contentType": "text/plain"},
        "stored": STORED.as_json(),
        "row": {"a": 1},
    }
}


@dataclass(frozen=True)
class Shelf:
    """The files that expressions may use here."""

    can_be_read: bool = True

    def read(self, file: StoredFile) -> bytes:
        assert self.can_be_read
        assert file == STORED
        return LATIN

    def link(self, file: AnyFile, seconds: int) -> str:
        return f"https://files.example/{file.name}?{seconds}"


def value_of(expression: str, **more: Any) -> Any:
    return resolve(f"{{{{ {expression} }}}}", SCOPE, step="test", **more)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("trigger.small | text", "a;b"),
        ("trigger.latin | text", "Grüße"),
        ("trigger.latin | text('iso-8859-5')", LATIN.decode("iso-8859-5")),
        ("trigger.former | text", "hello"),
        ("trigger.empty | text", ""),
        ("trigger.empty | base64", ""),
        ("trigger.small | base64", "YTti"),
        ("'a;b' | base64", "YTti"),
        ("'x' | to_file('x.txt')", inline("x.txt", "text/plain; charset=utf-8", b"x")),
        ("trigger.row | to_file('r.json', 'application/json')", inline("r.json", "application/json", b'{"a":1}')),
        ("trigger.former | to_file('b.pdf', 'application/pdf')", inline("b.pdf", "application/pdf", b"hello")),
        ("('ü' | to_file('x')).size", 2),
        ("'x' | to_file('../a\r\nb.txt', 'text/x\r\nX-Own: 1')", inline("ab.txt", "application/octet-stream", b"x")),
        ("'ü' | to_file('x') | text", "ü"),
    ],
)
def test_what_they_give(expression: str, value: Any) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("trigger.row | text", "text needs a file, not an object"),
        ("'x' | text", "text needs a file, not text"),
        ("trigger.small | text('punycode')", "no such charset"),
        ("trigger.small | text('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')", "no such charset"),
        ("trigger.stored | text", "in the config of an action"),
        ("trigger.stored | base64", "in the config of an action"),
        ("trigger.stored | link", "in the config of an action"),
        ("trigger.row | link", "link needs a file, not an object"),
        ("'x' | to_file(17)", "to_file needs text"),
    ],
)
def test_what_they_refuse(expression: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        value_of(expression)


def test_a_stored_file_is_read_where_that_may_be() -> None:
    assert value_of("trigger.stored | text", files=Shelf()) == "Grüße"
    assert value_of("trigger.stored | base64", files=Shelf()) == "R3L832U="


@pytest.mark.parametrize(
    ("expression", "address"),
    [
        ("trigger.stored | link", "https://files.example/a.txt?3600"),
        ("trigger.small | link(60)", "https://files.example/a.csv?60"),
        ("'x' | to_file('x.txt') | link(seconds=2592000)", "https://files.example/x.txt?2592000"),
    ],
)
def test_a_link_is_made_where_that_may_be(expression: str, address: str) -> None:
    assert value_of(expression, files=Shelf()) == address


@pytest.mark.parametrize("seconds", ["0", "-1", "2592001", "1.5", "'60'", "true"])
def test_a_link_lasts_a_month_at_most(seconds: str) -> None:
    with pytest.raises(ExpressionError, match="link needs a whole number from 1 to 2592000"):
        value_of(f"trigger.stored | link({seconds})", files=Shelf())


@pytest.mark.parametrize("made", ["secrets.x | to_file('x') | link", "[secrets.x | to_file('x')] | first | link(60)"])
def test_no_link_leads_to_a_secret(made: str) -> None:
    with pytest.raises(ExpressionError, match="link takes nothing that is made from secrets"):
        value_of(made, files=Shelf())


def test_many_links_are_too_much_work() -> None:
    with pytest.raises(ExpressionError, match="too much work"):
        value_of("[" + "trigger.stored | link," * 20 + "]", files=Shelf())


def test_a_large_file_is_refused_before_it_is_read() -> None:
    large = {"trigger": {"f": {**STORED.as_json(), "size": 50_000_000}}}
    with pytest.raises(ExpressionError, match=r"too large|too much work"):
        resolve("{{ trigger.f | text }}", large, step="test", files=Shelf(can_be_read=False))
