"""The dry run and the data picker are one walk: they say the same of every step."""

from __future__ import annotations

from typing import Any

from tests.preview.conftest import Draft

Json = dict[str, Any]


def test_a_step_whose_condition_does_not_hold_gives_nothing(draft: Draft) -> None:
    draft.write({"id": "shape", "type": "TRANSFORM", "when": "{{ 1 > 2 }}", "config": {"output": {"rows": []}}})
    assert draft.outputs_of_dry_run() == {}
    assert draft.outputs_in_picker() == {}


def test_a_branch_gives_the_name_of_the_way_it_goes(draft: Draft) -> None:
    branches = [{"name": "yes", "when": "{{ 2 > 1 }}", "actions": []}]
    draft.write({"id": "way", "type": "BRANCH", "branches": branches})
    assert draft.outputs_of_dry_run() == {"way": {"branch": "yes"}}
    assert draft.outputs_in_picker() == {"way": {"branch": "yes"}}


def test_a_wait_for_a_time_gives_an_empty_object(draft: Draft) -> None:
    draft.write({"id": "rest", "type": "WAIT", "config": {"seconds": 60}})
    assert draft.outputs_of_dry_run() == {"rest": {}}
    assert draft.outputs_in_picker() == {"rest": {}}


def test_a_loop_over_nothing_gives_no_results(draft: Draft) -> None:
    inner: Json = {"id": "inner", "type": "TRANSFORM", "config": {"output": {}}}
    draft.write({"id": "each", "type": "FOR_EACH", "config": {"items": []}, "actions": [inner]})
    nothing = {"each": {"count": 0, "failed": 0, "results": []}}
    assert draft.outputs_of_dry_run() == nothing
    assert draft.outputs_in_picker() == nothing
