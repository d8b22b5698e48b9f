"""Data of log lines, packed."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.logbook import packed_data
from flowforge.logbook.packed_data import LONGEST_TEXT, pack, unpack

RESULT: JsonObject = {
    "stepIndex": 12,
    "status": "SUCCESS",
    "output": {"status": 201, "headers": {"content-type": "application/json"}, "body": {"id": 4711, "paid": True}},
    "iteration": 3,
    "attempt": 2,
    "startedAt": "2031-05-06T07:08:09.123Z",
    "timestamp": "2031-05-06T07:08:09.456Z",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_data_come_back_as_they_were(data: JsonObject) -> None:
    packed = pack(data)
    as_stored = jsonio.loads(jsonio.dumps_for_database(data))
    assert packed is None or unpack(packed) == as_stored


def test_the_order_of_fields_is_kept() -> None:
    packed = pack(dict(reversed(RESULT.items())))
    assert packed is not None
    assert list(unpack(packed)) == list(reversed(RESULT))


def test_a_line_takes_a_third_of_its_text_at_most() -> None:
    packed = pack(RESULT)
    assert packed is not None
    assert len(packed) * 3 <= len(jsonio.dumps(RESULT))


@pytest.mark.parametrize("length", [LONGEST_TEXT - len('{"a":""}'), 0])
def test_packed_data_say_the_length_of_their_text(length: int) -> None:
    packed = pack({"a": "x" * length})
    assert packed is not None
    assert int.from_bytes(packed[1:3]) == length + len('{"a":""}')


def test_long_data_are_left_to_postgresql() -> None:
    assert pack({"a": "x" * LONGEST_TEXT}) is None


def test_a_dictionary_is_never_changed() -> None:
    """Lines that are stored could not be read any more."""
    digests = {number: sha256(each).hexdigest()[:16] for number, each in packed_data._DICTIONARIES.items()}
    assert digests == {1: "cb1bc30c7f57a0b6"}
