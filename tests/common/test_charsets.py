"""Text out of bytes, in whatever charset they were sent."""

from __future__ import annotations

import encodings
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge import charsets, jsonio

_SENTENCE = "Grüße, 5 € für José"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF8", "utf-8"),
        ("windows-1252", "cp1252"),
        ("ISO-8859-15", "iso8859-15"),
        ("utf-16", "utf-16-le"),
    ],
)
def test_a_charset_that_is_declared_counts(label: str, codec: str) -> None:
    assert charsets.decode(_SENTENCE.encode(codec), label) == _SENTENCE


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Shift_JIS", "日本語"),
        ("gb2312", "汉字"),
        ("euc-kr", "한국어"),
        ("KOI8-R", "Привет"),
        ("windows-1251", "Привет"),
    ],
)
def test_so_do_those_of_other_scripts(label: str, text: str) -> None:
    assert charsets.decode(text.encode(label), label) == text


@pytest.mark.parametrize("label", [None, "", "klingon", "punycode", "idna", "us-ascii", "x" * 1000, "é", "utf-7"])
@pytest.mark.parametrize("codec", ["utf-8", "windows-1252"])
def test_else_it_is_what_it_can_be(label: str | None, codec: str) -> None:
    assert charsets.decode(_SENTENCE.encode(codec), label) == _SENTENCE


def test_only_charsets_of_the_web_are_read() -> None:
    """Among Python's are some that take quadratic time, unpack, or are no charsets at all."""
    names = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    read = {name for name in names if charsets.codec_of(name)}
    assert {"utf_8", "latin_1", "cp1252", "gb18030"} <= read
    assert not read & {
        "punycode", "idna", "utf_7", "unicode_escape", "raw_unicode_escape", "undefined", "charmap", "oem", "mbcs",
        "zlib_codec", "bz2_codec", "base64_codec", "hex_codec", "quopri_codec", "uu_codec", "rot_13",
    }  # fmt: skip


def test_names_that_strangers_send_are_kept_nowhere() -> None:
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(50):
        charsets.decode(b"x", f"made-up-{number}")
    assert len(encodings._cache) == before  # type: ignore[attr-defined]


def test_a_byte_order_mark_goes_before_what_is_declared() -> None:
    assert charsets.decode(b"\xef\xbb\xbf\xc3\xa9", "windows-1252") == "é"
    assert charsets.decode(b"\xff\xfe\xe9\x00") == "é"


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xff\xfe", "ÿþ"), (b"\xfe\xff", "þÿ"), (b"\xff\xfea\x00", "ÿþa\0"), (b"\xef\xbb\xbfa", "\ufeffa"), (b"", "")],
)
def test_a_byte_order_mark_means_nothing_within_a_text(data: bytes, text: str) -> None:
    assert charsets.decode_part(data) == text


def test_what_was_cut_within_a_character_says_so() -> None:
    assert charsets.decode("né, né".encode()[:-1]) == "né, n\ufffd"


@given(st.binary(max_size=60), st.sampled_from([None, "utf-8", "shift_jis", "utf-16be", "big5", "windows-1253"]))
def test_nothing_is_dropped_without_a_trace(data: bytes, label: str | None) -> None:
    text = charsets.decode(data, label)
    assert bool(text) == bool(data) or data in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
    jsonio.dumps(text)


def test_json_is_utf8_unless_the_sender_says_otherwise() -> None:
    assert jsonio.loads(charsets.json_source(b'\xef\xbb\xbf{"a":1}')) == {"a": 1}
    assert jsonio.loads(charsets.json_source('"5 €"'.encode("iso-8859-15"), "ISO-8859-15")) == "5 €"
    assert charsets.json_source(b'"\xff"') == b'"\xff"'
