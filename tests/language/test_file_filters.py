"""Texts out of files, and files out of texts."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.file_values import StoredFile
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
        ("'x' | to_file(17)", "to_file needs text"),
    ],
)
def test_what_they_refuse(expression: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        value_of(expression)


def test_a_stored_file_is_read_where_that_may_be() -> None:
    assert value_of("trigger.stored | text", read_file=lambda file: LATIN if file == STORED else b"") == "Grüße"
    assert value_of("trigger.stored | base64", read_file=lambda _file: LATIN) == "R3L832U="


def test_a_large_file_is_refused_before_it_is_read() -> None:
    def never(_file: StoredFile) -> bytes:
        raise AssertionError("it was read")

    large = {"trigger": {"f": {**STORED.as_json(), "size": 50_000_000}}}
    with pytest.raises(ExpressionError, match=r"too large|too much work"):
        resolve("{{ trigger.f | text }}", large, step="test", read_file=never)
