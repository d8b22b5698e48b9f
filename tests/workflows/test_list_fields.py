"""The field of the payload that lists show."""

from __future__ import annotations

import pytest

from flowforge.errors import Invalid
from flowforge.workflows import list_fields


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("body.order.id", "body.order.id"),
        ("trigger.body.items[0].id", "body.items.0.id"),
        ("{{ trigger.body.order.id }}", "body.order.id"),
    ],
)
def test_a_path_is_read_as_people_write_it(written: object, path: str | None) -> None:
    assert list_fields.read(written) == path


@pytest.mark.parametrize("wrong", [1, "a..b", ".a", "a.", "x" * 201, "a.b.c.d.e.f.g.h.i.j.k", "a\0b"])
def test_what_is_no_path_is_refused_by_its_field(wrong: object) -> None:
    with pytest.raises(Invalid) as refused:
        list_fields.read(wrong)
    assert refused.value.problems[0].pointer == "/listField"
