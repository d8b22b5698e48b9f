"""What differs between two definitions."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.language.differences import ABSENT, Side, StepChange, differences, same
from flowforge.language.pointers import parsed, pointer
from flowforge.language.tree import actions_in

names = st.sampled_from(["a", "b", "c", "d", "e"])
configs = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 3) | st.booleans(), max_size=2)


def steps(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.fixed_dictionaries({"type": st.just("T"), "config": configs}, optional={"id": names})
    block = st.fixed_dictionaries({"type": st.just("FOR_EACH"), "actions": inside}, optional={"id": names})
    return st.lists(plain | block, max_size=4)


lists = st.recursive(st.just([]), steps, max_leaves=6)
definitions = st.fixed_dictionaries({"name": names, "actions": lists})


def between(old: Any, new: Any) -> Any:
    return differences(Side(old, old), Side(new, new))


@given(definitions)
def test_nothing_differs_from_itself(definition: Any) -> None:
    assert between(definition, copy.deepcopy(definition)).same is True


@given(definitions, definitions)
def test_what_is_not_equal_differs(old: Any, new: Any) -> None:
    found = between(old, new)
    equal = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert found.same is equal


@given(definitions, definitions)
def test_every_step_of_both_is_accounted_for_once(old: Any, new: Any) -> None:
    found = between(old, new)
    kinds = [change.kind for change in found.steps]
    assert _count(new) - kinds.count("added") == _count(old) - kinds.count("removed")
    places = [change.after for change in found.steps if change.after is not None]
    assert len(places) == len(set(places))


@given(definitions, definitions)
def test_what_is_told_makes_the_new_steps_of_the_old_ones(old: Any, new: Any) -> None:
    before, after = _owns(old), _owns(new)
    for change in between(old, new).steps:
        if change.kind == "added":
            assert after.pop(change.after) == change.action
        elif change.kind == "removed":
            assert before.pop(change.before) == change.action
        else:
            assert _applied(before.pop(change.before), change) == after.pop(change.after)
    assert sorted(map(_text, before.values())) == sorted(map(_text, after.values())), "what is not told is the same"


def test_secrets_are_told_to_differ_and_not_shown() -> None:
    def seen(secret: str) -> Side:
        def of(value: str) -> Any:
            return {"trigger": {"config": {"password": value}}, "actions": [{"type": "T", "config": {"token": value}}]}

        return Side(of(secret), of("********"))

    found = differences(seen("one"), seen("two"))
    assert [field.pointer for field in found.fields] == ["/trigger/config/password"]
    assert [field.pointer for field in found.steps[0].fields] == ["/actions/0/config/token"]
    assert not {"one", "two"} & set(re.split("['\"]", repr(found)))


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


def _owns(definition: Any) -> dict[str | None, Any]:
    """What each step says, the steps inside it aside, by pointer."""
    return {
        pointer(path): copy.deepcopy({key: value for key, value in action.items() if key != "actions"})
        for path, action in actions_in(definition["actions"])
    }


def _applied(own: Any, change: StepChange) -> Any:
    for field in change.fields:
        gone = field.after is ABSENT
        place = parsed(field.pointer)[len(parsed(str(change.before if gone else change.after))) :]
        holder = own
        for part in place[:-1]:
            holder = holder[part]
        if gone:
            assert holder.pop(place[-1]) == field.before
        else:
            assert holder.get(place[-1], ABSENT) == field.before
            holder[place[-1]] = field.after
    return own


def _text(own: Any) -> str:
    return json.dumps(own, sort_keys=True)


def _count(definition: Any) -> int:
    return sum(1 + _count({"actions": step.get("actions", [])}) for step in definition["actions"])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (1e300, 10**300, True),
        (-1.5e22, -15 * 10**21, True),
        (2.0**63, 2**63, False),
        (2**63 - 1, 2**63, False),
        (True, 1.0, False),
        ("1", 1.0, False),
    ],
)
def test_numbers_are_the_same_whose_digits_are(left: Any, right: Any, expected: bool) -> None:
    """2.0**63 is written 9.223372036854776e18, which is another number."""
    assert same({"n": [left]}, {"n": [right]}) is same({"n": [right]}, {"n": [left]}) is expected
