"""Waits as people fill them in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.durations import UNITS, in_seconds, in_units
from flowforge.form_view import FORM_KIND
from flowforge.language.blocks import BLOCKS
from flowforge.language.wait_form import WAIT_VIEW


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({}, {FORM_KIND: "duration"}),
        ({"seconds": 5400}, {FORM_KIND: "duration", "amount": 90, "unit": "minutes"}),
        ({"seconds": "{{ vars.rest }}"}, {FORM_KIND: "duration", "amount": "{{ vars.rest }}", "unit": "seconds"}),
        (
            {"seconds": "{{ (vars.rest) * 3600 }}"},
            {FORM_KIND: "duration", "amount": "{{ vars.rest }}", "unit": "hours"},
        ),
        (
            {"until": "2026-12-24T18:00:00+01:00"},
            {FORM_KIND: "until", "moment": "2026-12-24T18:00", "timeZone": "+01:00"},
        ),
        ({"until": "2026-12-24T18:00:00Z"}, {FORM_KIND: "until", "moment": "2026-12-24T18:00"}),
        ({"until": "{{ trigger.body.due }}"}, {FORM_KIND: "until", "moment": "{{ trigger.body.due }}"}),
        ({"until": "tomorrow"}, {FORM_KIND: "until", "moment": "tomorrow"}),
        ({"for": "resume"}, {FORM_KIND: "call"}),
        (
            {"for": "approval", "message": "Pay?", "timeout": 86400, "onTimeout": "continue"},
            {FORM_KIND: "approval", "message": "Pay?", "limit": 1, "limitUnit": "days", "onTimeout": "continue"},
        ),
    ],
)
def test_a_wait_is_shown_by_its_kind_and_stays_as_it_is_written(config: dict[str, Any], shown: dict[str, Any]) -> None:
    assert WAIT_VIEW.shown(config) == shown
    assert WAIT_VIEW.written(shown, config) == config


@pytest.mark.parametrize(
    ("values", "config"),
    [
        ({FORM_KIND: "duration", "amount": 2, "unit": "hours"}, {"seconds": 7200}),
        ({FORM_KIND: "duration", "amount": "soon", "unit": "hours"}, {"seconds": "soon"}),
        (
            {FORM_KIND: "until", "moment": "2026-07-01T09:00", "timeZone": "Europe/Berlin"},
            {"until": "2026-07-01T09:00:00+02:00"},
        ),
        ({FORM_KIND: "until", "moment": "2026-07-01T09:00"}, {"until": "2026-07-01T09:00:00+00:00"}),
        ({FORM_KIND: "until", "moment": "2026-07-01T09:00", "timeZone": "Nowhere"}, {"until": "2026-07-01T09:00"}),
        ({FORM_KIND: "duration", "amount": 1e308, "unit": "days"}, {"seconds": 1e308}),
        ({FORM_KIND: "call", "limit": 3, "limitUnit": "days"}, {"for": "resume", "timeout": 259200}),
    ],
)
def test_what_is_filled_in_is_stored_as_the_block_reads_it(values: dict[str, Any], config: dict[str, Any]) -> None:
    assert WAIT_VIEW.written(values, {}) == config


def test_from_a_call_to_an_approval_the_time_limit_stays() -> None:
    before = {"for": "resume", "timeout": 60}
    after = WAIT_VIEW.written({**WAIT_VIEW.shown(before), FORM_KIND: "approval"}, before)
    assert after == {"for": "approval", "timeout": 60}
    BLOCKS["WAIT"].parse(after)


@given(st.one_of(st.integers(0, 10**7), st.floats(0, 10**7)), st.sampled_from([*UNITS]))
def test_a_duration_in_units_is_as_many_seconds(seconds: float, unit: str) -> None:
    assert in_seconds(*in_units(seconds)) == pytest.approx(seconds)
    assert in_seconds(seconds, unit) == pytest.approx(seconds * UNITS[unit])
