"""The time zone of the workflow stands in where a filter is given none."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from flowforge.language.expressions.resolving import resolve, workflow_root

MIDNIGHT_IN_TOKYO = "2026-03-01T15:00:00Z"


def computed(expression: str, zone: str | None) -> Any:
    roots = {"trigger": {"at": MIDNIGHT_IN_TOKYO}, "workflow": workflow_root(uuid4(), "w", zone)}
    return resolve(f"{{{{ {expression} }}}}", roots, step="s")


@pytest.mark.parametrize(
    ("expression", "in_tokyo", "in_utc"),
    [
        ("trigger.at | date('%d %H:%M')", "02 00:00", "01 15:00"),
        ("trigger.at | date('%d %H:%M', 'UTC')", "01 15:00", "01 15:00"),
        ("trigger.at | iso", "2026-03-02T00:00:00.000+09:00", "2026-03-01T15:00:00.000+00:00"),
        ("trigger.at | start_of('day') | iso('Z')", "2026-03-01T15:00:00.000Z", "2026-03-01T00:00:00.000Z"),
        ("'01.03.2026' | parse_date('%d.%m.%Y') | iso('Z')", "2026-02-28T15:00:00.000Z", "2026-03-01T00:00:00.000Z"),
        ("workflow.timeZone", "Asia/Tokyo", "UTC"),
    ],
)
def test_it_counts_where_none_is_given(expression: str, in_tokyo: str, in_utc: str) -> None:
    assert (computed(expression, "Asia/Tokyo"), computed(expression, None)) == (in_tokyo, in_utc)
