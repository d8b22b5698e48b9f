"""JSON as it is really sent: byte order marks, halves of characters, numbers of any size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge import jsonio

_WEI = 115792089237316195423570985008687907853269984665640564039457584007913129639935

values = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers() | st.integers(10**18, 10**80) | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_a_database_gets_no_nul_and_everything_else_as_it_is(value: Any) -> None:
    def stored(part: Any) -> Any:
        if isinstance(part, dict):
            return {stored(name): stored(inner) for name, inner in part.items()}
        if isinstance(part, list):
            return [stored(inner) for inner in part]
        return part.replace("\0", "\ufffd") if isinstance(part, str) else part

    both = ["\0\\\0\\u0000", value]
    assert jsonio.loads(jsonio.dumps_for_database(both)) == stored(both)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert jsonio.loads(jsonio.dumps(value)) == value
    assert jsonio.loads(jsonio.indented(value)) == value


def test_times_are_written_in_one_length_so_that_their_texts_sort() -> None:
    written = [jsonio.format_time(datetime(year, 1, 2, 3, 4, 5, 67_899, UTC)) for year in (1, 50, 999, 2026)]
    written.append(jsonio.format_time(datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)))
    assert written[0] == "0001-01-02T03:04:05.067Z"
    assert {len(text) for text in written} == {24}
    assert written == sorted(written)


def test_ids_are_written_as_python_writes_them() -> None:
    for id_ in (UUID(int=0), UUID(int=2**128 - 1), uuid4()):
        assert jsonio.format_id(id_) == str(id_)


@pytest.mark.parametrize(
    "digits",
    ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "100000000000000000000000", str(_WEI)],
)
def test_whole_numbers_are_exact(digits: str) -> None:
    text = f'{{"n":{digits},"list":[{digits}]}}'
    assert jsonio.loads(text) == {"n": int(digits), "list": [int(digits)]}
    assert jsonio.dumps(jsonio.loads(text)).decode() == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["4111111111111111111111111111", 1]', ["4111111111111111111111111111", 1]),
        ("[0.12345678901234567890123]", [0.12345678901234568]),
        ('{"hash":"00000000000000000000","ok":true,"none":null}', {"hash": "0" * 20, "ok": True, "none": None}),
        ("12345678901234567890e2", 1.234567890123456789e21),
    ],
)
def test_other_long_rows_of_digits_are_what_they_were(text: str, value: Any) -> None:
    assert jsonio.loads(text) == value
    assert type(jsonio.loads(text)) is type(value)


@dataclass(frozen=True)
class _Row:
    number: int
    at: datetime


class _Described:
    def as_json(self) -> dict[str, int]:
        return {"n": 2**64}


def test_a_large_number_is_written_wherever_it_stands() -> None:
    written = jsonio.dumps({"row": _Row(_WEI, datetime(2026, 3, 4, tzinfo=UTC)), 5: (_Described(), {_WEI})})
    expected = f'{{"row":{{"number":{_WEI},"at":"2026-03-04T00:00:00.000Z"}},"5":[{{"n":{2**64}}},[{_WEI}]]}}'
    assert written.decode() == expected


@pytest.mark.parametrize(
    "text", ["9" * 2_001, f"[-{'1' * 5_000}]", "1e400", f"[1e999,{_WEI}]", f"[NaN,{_WEI}]", f"[{_WEI},]", f"[{_WEI}"]
)
def test_what_cannot_be_exact_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|range|infinity|JSON|Expecting|unexpected|Illegal"):
        jsonio.loads(text)


def test_a_number_of_too_many_digits_is_not_written() -> None:
    with pytest.raises(TypeError, match="more than 2,000 digits"):
        jsonio.dumps({"n": 10**2_000})


@pytest.mark.parametrize(
    "data",
    [b'\xef\xbb\xbf{"a":1}', '\ufeff{"a":1}', b'\xef\xbb\xbf  {"a":1}\r\n', b'\xef\xbb\xbf{"a":1,"b":"\\udc00"}'],
)
def test_a_byte_order_mark_is_passed_over(data: bytes | str) -> None:
    assert jsonio.loads(data)["a"] == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r'"\ud83d"', "\ufffd"),
        (r'"a\udE00b"', "a\ufffdb"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'"\\ud83d"', r"\ud83d"),
        (r'"\\\ud83d"', "\\\ufffd"),
        (r'{"\ud83d":"\uD83D\uDE00"}', {"\ufffd": "😀"}),
        (rf'["\ud800",{_WEI}]', ["\ufffd", _WEI]),
    ],
)
def test_half_a_character_becomes_a_replacement_character(text: str, read: Any) -> None:
    assert jsonio.loads(text) == read
    assert jsonio.loads(text.encode()) == read


def test_half_a_character_is_not_written() -> None:
    written = jsonio.dumps({"\ud800": ["a\udfff", "😀"]})
    assert orjson.loads(written) == {"\ufffd": ["a\ufffd", "😀"]}


@pytest.mark.parametrize("text", ['{"a":"\\q"}', '{"a":1', "", '"\\ud8"', "[" * 2_000, '{"\\ud800":'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1"):
        jsonio.loads(text)


@pytest.mark.parametrize("bottom", [2**70, "\ud800", object()])
def test_what_is_nested_too_deeply_is_refused(bottom: Any) -> None:
    value = bottom
    for _ in range(5_000):
        value = [value]
    with pytest.raises(TypeError):
        jsonio.dumps(value)
