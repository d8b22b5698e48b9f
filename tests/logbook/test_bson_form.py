"""A line of the log that BSON cannot hold is stored all the same: the part in question as text."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from pymongo.errors import AutoReconnect, BulkWriteError, DocumentTooLarge, OperationFailure, PyMongoError

from flowforge import jsonio
from flowforge.logbook.bson_form import storable
from flowforge.logbook.mongo import is_away


def nested(depth: int, inmost: Any = "deep") -> Any:
    value = inmost
    for number in range(depth):
        value = {"a": value} if number % 2 else [value]
    return value


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth_of, inner)) if isinstance(value, dict | list) and value else 0


@pytest.mark.parametrize("depth", [1, 50, 97, 98, 99, 150, 200])
def test_nothing_is_nested_deeper_than_mongodb_takes_and_nothing_is_lost(depth: int) -> None:
    data = {"body": nested(depth)}
    stored = storable(data)
    assert depth_of({"data": stored}) <= 95
    assert "deep" in jsonio.dumps(stored).decode()
    if depth < 80:
        assert stored == data


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64 - 1])
def test_a_number_of_more_than_64_bits_is_stored_as_its_digits(number: int) -> None:
    assert storable({"id": [number]}) == {"id": [str(number)]}


def test_what_bson_holds_stays_as_it_is() -> None:
    data = {"a.b": 1, "$c": [True, None, 2**63 - 1, -(2**63), 1.5, "x"], "": {}}
    stored = storable(data)
    assert stored == data
    assert bson.decode(bson.encode(stored or {})) == data


def test_a_name_with_nul_is_stored() -> None:
    bson.encode(storable({"a\0b": {"c\0": 1}}) or {})


def written(*codes: int) -> BulkWriteError:
    return BulkWriteError({"writeErrors": [{"index": at, "code": code} for at, code in enumerate(codes)]})


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (AutoReconnect("lost"), True),
        (OperationFailure("stepping down", 189), True),
        (OperationFailure("not signed in", 18), True),
        (OperationFailure("no space", 14031), True),
        (written(11000, 91), True),
        (written(15), False),  # nested too deeply
        (written(11000, 10334), False),  # too large
        (OperationFailure("bad value", 2), False),
        (DocumentTooLarge("16 MB"), False),
    ],
)
def test_a_refusal_is_told_from_absence_by_its_code(error: PyMongoError, away: bool) -> None:
    assert is_away(error) is away
