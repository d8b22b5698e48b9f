"""What differs between two definitions."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowforge.language.differences import Seen, differences

names = st.sampled_from(["a", "b", "c", "d", "e"])
configs = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 3) | st.booleans(), max_size=2)


def steps(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.fixed_dictionaries({"type": st.just("T"), "config": configs}, optional={"id": names})
    block = st.fixed_dictionaries({"type": st.just("FOR_EACH"), "actions": inside}, optional={"id": names})
    return st.lists(plain | block, max_size=4)


lists = st.recursive(st.just([]), steps, max_leaves=6)
definitions = st.fixed_dictionaries({"name": names, "actions": lists})


def between(old: Any, new: Any) -> Any:
    return differences(Seen(old, old), Seen(new, new))


@given(definitions)
def test_nothing_differs_from_itself(definition: Any) -> None:
    assert between(definition, copy.deepcopy(definition)).as_json()["same"] is True


@given(definitions, definitions)
def test_what_is_not_equal_differs(old: Any, new: Any) -> None:
    found = between(old, new)
    equal = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert found.as_json()["same"] is equal


@given(definitions, definitions)
def test_every_step_of_both_is_accounted_for_once(old: Any, new: Any) -> None:
    found = between(old, new)
    kinds = [change.kind for change in found.steps]
    assert _count(new) - kinds.count("added") == _count(old) - kinds.count("removed")
    places = [change.after for change in found.steps if change.after is not None]
    assert len(places) == len(set(places))


def test_a_step_that_was_renamed_in_place_is_one_change() -> None:
    old = {"actions": [{"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": "a"}}]}
    new = {"actions": [{"id": "fetch", "type": "HTTP_REQUEST", "name": "Fetch", "config": {"url": "b"}}]}
    [change] = between(old, new).steps
    assert change.kind == "changed"
    assert {field.pointer for field in change.fields} == {"/actions/0/name", "/actions/0/config/url"}


def test_only_what_left_its_order_has_moved() -> None:
    def of(*ids: str) -> Any:
        return {"actions": [{"id": each, "type": "T"} for each in ids]}

    assert [change.id for change in between(of("a", "b", "c", "d"), of("d", "a", "b", "c")).steps] == ["d"]


def _count(definition: Any) -> int:
    return sum(1 + _count({"actions": step.get("actions", [])}) for step in definition["actions"])
