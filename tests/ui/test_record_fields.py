"""Lists of records in forms: drawn, read, and arranged by buttons."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from webapp.ui.fields import fields_of
from webapp.ui.forms import config_from_form

FIELDS = fields_of(
    {
        "properties": {
            "guests": {
                "type": "array",
                "items": {
                    "title": "Guest",
                    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                    "required": ["name"],
                },
            }
        }
    }
)
ADA, BOB, CYD = {"name": "Ada", "age": 36}, {"name": "Bob"}, {"name": "Cyd"}


def posted(records: list[dict[str, Any]], arrange: str = "") -> MultiDict[str, str]:
    form = {f"config.guests.{n}.{key}": str(value) for n, record in enumerate(records) for key, value in record.items()}
    return MultiDict({**form, "config.guests.count": str(len(records)), "arrange": arrange})


def read(records: list[dict[str, Any]], arrange: str = "", before: Any = ()) -> Any:
    return config_from_form(FIELDS, posted(records, arrange), {"guests": list(before)}).get("guests")


def test_a_list_of_objects_is_drawn_as_records() -> None:
    (field,) = FIELDS
    assert (field.kind, field.entry) == ("records", "Guest")
    assert [(inner.key, inner.kind, inner.required) for inner in field.inner] == [
        ("name", "text", True),
        ("age", "number", False),
    ]


def test_what_was_posted_is_read_typed() -> None:
    assert read([ADA, BOB]) == [ADA, BOB]
    assert read([]) is None


def test_keys_that_no_field_is_for_stay() -> None:
    assert read([BOB], before=[{"name": "Ada", "seat": 4}]) == [{"seat": 4, "name": "Bob"}]


@pytest.mark.parametrize(
    ("arrange", "outcome"),
    [
        ("add:config.guests", [ADA, BOB, CYD, {}]),
        ("remove:config.guests:1", [ADA, CYD]),
        ("up:config.guests:2", [ADA, CYD, BOB]),
        ("up:config.guests:0", [ADA, BOB, CYD]),
        ("down:config.guests:0", [BOB, ADA, CYD]),
        ("down:config.guests:2", [ADA, BOB, CYD]),
        ("remove:config.guests:9", [ADA, BOB, CYD]),
        ("remove:config.others:1", [ADA, BOB, CYD]),
        ("nonsense", [ADA, BOB, CYD]),
    ],
)
def test_buttons_arrange_them(arrange: str, outcome: list[dict[str, Any]]) -> None:
    assert read([ADA, BOB, CYD], arrange) == outcome


def test_no_more_are_read_than_anybody_needs() -> None:
    form = MultiDict({"config.guests.count": "1000000000"})
    assert len(config_from_form(FIELDS, form, {})["guests"]) == 200
