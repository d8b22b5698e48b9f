"""Edits: nothing is invented, nothing is lost."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.errors import Invalid
from flowforge.language import edits
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in


def _numbered(definition: Any) -> Any:
    """Gives every step an id of its own."""
    for number, (_, action) in enumerate(actions_in(definition["actions"])):
        action["id"] = f"s{number}"
    return definition


def blocks(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    plain = st.just({"type": "TRANSFORM"}).map(copy.deepcopy)
    loop = st.builds(lambda steps: {"type": "FOR_EACH", "actions": steps}, inside)
    branch = st.builds(
        lambda one, two: {"type": "BRANCH", "branches": [{"name": "yes", "actions": one}], "else": two}, inside, inside
    )
    failing = st.builds(lambda steps: {"type": "HTTP_REQUEST", "onError": steps}, inside)
    return st.lists(plain | loop | branch | failing, max_size=3)


lists = st.recursive(st.builds(list), blocks, max_leaves=8)
definitions = st.builds(lambda steps: _numbered({"name": "x", "actions": copy.deepcopy(steps)}), lists)


def ids(definition: Any) -> Counter[str]:
    return Counter(action["id"] for _, action in actions_in(definition["actions"]))


def steps(definition: Any) -> list[str]:
    return [pointer(path) for path, _ in actions_in(definition["actions"])]


def places(definition: Any) -> list[str]:
    """Every list of steps there is."""
    found = ["/actions"]
    for path, action in actions_in(definition["actions"]):
        at = pointer(path)
        found += [f"{at}/{key}" for key in ("actions", "else", "onError") if key in action]
        found += [f"{at}/branches/{n}/actions" for n, _ in enumerate(action.get("branches", ()))]
    return found


@given(definitions, st.data())
def test_inserting_and_removing_again_changes_nothing(definition: Any, data: Any) -> None:
    into = data.draw(st.sampled_from(places(definition)))
    position = data.draw(st.integers(0, 4))
    more, added = edits.insert(definition, into, position, [{"id": "new", "type": "T"}])
    [at] = [pointer(path) for path, action in actions_in(more["actions"]) if action["id"] == "new"]
    assert added == [at]
    assert edits.remove(more, [at]) == definition


@given(definitions.filter(steps), st.data())
def test_a_move_keeps_every_step_once_and_the_moved_ones_together(definition: Any, data: Any) -> None:
    chosen = data.draw(st.lists(st.sampled_from(steps(definition)), min_size=1))
    into = data.draw(st.sampled_from(places(definition)))
    before = copy.deepcopy(definition)
    if any(f"{into}/".startswith(f"{at}/") for at in chosen):
        with pytest.raises(Invalid):
            edits.move(definition, chosen, into, 0)
        return
    moved, landed = edits.move(definition, chosen, into, data.draw(st.integers(0, 4)))
    assert ids(moved) == ids(definition)
    wanted = [edits.step_at(definition, at) for at in edits.outermost(definition, chosen)]
    assert [edits.step_at(moved, at) for at in landed] == wanted
    assert definition == before, "the old definition is left alone"


@given(definitions.filter(steps), st.data())
def test_moving_a_step_before_itself_changes_nothing(definition: Any, data: Any) -> None:
    at = data.draw(st.sampled_from(steps(definition)))
    into, _, position = at.rpartition("/")
    assert edits.move(definition, [at], into, int(position)) == (definition, [at])


@given(definitions.filter(steps), st.data())
def test_copies_have_ids_of_their_own(definition: Any, data: Any) -> None:
    chosen = data.draw(st.lists(st.sampled_from(steps(definition)), min_size=1))
    changed, copies = edits.duplicate(definition, chosen)
    assert set(ids(changed).values()) == {1}
    outermost = edits.outermost(definition, chosen)
    assert len(copies) == len(outermost)
    inside = sum(1 for each in steps(definition) if any(f"{each}/".startswith(f"{at}/") for at in outermost))
    assert sum(ids(changed).values()) == sum(ids(definition).values()) + inside


@given(definitions.filter(steps), st.data())
def test_what_is_chosen_is_removed_with_what_is_inside_and_nothing_else(definition: Any, data: Any) -> None:
    chosen = data.draw(st.lists(st.sampled_from(steps(definition)), min_size=1))
    gone = [each for each in steps(definition) if any(f"{each}/".startswith(f"{at}/") for at in chosen)]
    removed = Counter(edits.step_at(definition, at)["id"] for at in gone)
    assert ids(edits.remove(definition, chosen)) == ids(definition) - removed


@given(definitions.filter(steps), st.data())
def test_steps_are_switched_alike(definition: Any, data: Any) -> None:
    chosen = data.draw(st.lists(st.sampled_from(steps(definition)), min_size=1))
    off = edits.switch(definition, chosen)
    assert all(edits.step_at(off, at)["enabled"] is False for at in edits.outermost(definition, chosen))
    assert edits.switch(off, chosen) == definition


def test_references_among_pasted_steps_follow_their_new_ids() -> None:
    definition = {"actions": [{"id": "fetch", "type": "T"}, {"id": "fetch_2", "type": "T"}]}
    pasted = [
        {"id": "fetch", "type": "T", "config": {"x": "{{ steps.other.y }}"}},
        {"id": "fetch_3", "type": "T", "config": {"x": "{{ steps.fetch.y }} {{ steps['fetch'].z }}"}},
    ]
    changed, added = edits.paste(definition, "/actions", 1, pasted)
    assert added == ["/actions/1", "/actions/2"]
    first, second = changed["actions"][1:3]
    assert first == {"id": "fetch_4", "type": "T", "config": {"x": "{{ steps.other.y }}"}}
    assert second == {"id": "fetch_3", "type": "T", "config": {"x": "{{ steps.fetch_4.y }} {{ steps.fetch_4.z }}"}}


def test_ids_that_are_swapped_are_each_followed() -> None:
    taken = {"actions": [{"id": "a", "type": "T"}, {"id": "a_2", "type": "T"}]}
    pasted = [{"id": "a", "type": "T"}, {"id": "a_2", "type": "T", "when": "{{ steps.a.x and steps.a_2.x }}"}]
    changed, _ = edits.paste(taken, "/actions", 2, pasted)
    assert [step["id"] for step in changed["actions"]] == ["a", "a_2", "a_3", "a_4"]
    assert changed["actions"][3]["when"] == "{{ steps.a_3.x and steps.a_4.x }}"


def test_a_new_id_is_followed_by_every_expression() -> None:
    definition = {
        "actions": [
            {"id": "fetch", "type": "T"},
            {"id": "a", "type": "T", "config": {"x": "{{ steps.fetch.body + steps['fetch'].n }} steps.fetch"}},
            {"id": "b", "type": "T", "when": "{{ steps.fetcher.ok and steps.fetch.ok }}"},
        ]
    }
    changed = edits.change(definition, "/actions/0", {"id": "load"})
    assert changed["actions"][1]["config"]["x"] == "{{ steps.load.body + steps.load.n }} steps.fetch"
    assert changed["actions"][2]["when"] == "{{ steps.fetcher.ok and steps.load.ok }}"


def test_a_new_step_has_an_id_nobody_has_and_the_lists_its_type_needs() -> None:
    definition = {"actions": [{"id": "branch", "type": "BRANCH"}, {"id": "branch_2", "type": "BRANCH"}]}
    made = edits.blank(definition, "BRANCH")
    assert made["id"] == "branch_3"
    assert made["else"] == []
    assert edits.blank(definition, "FOR_EACH")["actions"] == []
    assert edits.blank(definition, "AGENT")["actions"] == [{"id": "llm", "type": "LLM", "config": {}}]
    assert len(edits.blank(definition, "PARALLEL")["branches"]) == 2


def test_branches_come_and_go() -> None:
    definition = {"actions": [edits.blank({}, "BRANCH")]}
    more = edits.add_branch(definition, "/actions/0")
    assert [branch["name"] for branch in more["actions"][0]["branches"]] == ["yes", "branch 2"]
    assert edits.remove_branch(more, "/actions/0", 1) == definition


def test_branches_are_renamed_and_change_places() -> None:
    definition = edits.add_branch({"actions": [edits.blank({}, "BRANCH")]}, "/actions/0")
    named = edits.rename_branch(definition, "/actions/0", 0, "large")
    moved = edits.move_branch(named, "/actions/0", 0, 1)
    assert [branch["name"] for branch in moved["actions"][0]["branches"]] == ["branch 2", "large"]
    assert edits.move_branch(moved, "/actions/0", 1, 0) == named
    for number in (-1, 2):
        with pytest.raises(Invalid):
            edits.rename_branch(named, "/actions/0", number, "x")
        with pytest.raises(Invalid):
            edits.move_branch(named, "/actions/0", number, 0)


@pytest.mark.parametrize("at", ["", "/", "/name", "/actions", "/actions/7", "/actions/0/config", "/actions/-1", "x"])
def test_a_step_that_is_not_there_is_refused(at: str) -> None:
    definition = {"name": "x", "actions": [{"id": "a", "type": "T", "config": {}}]}
    for edit in (edits.remove, edits.duplicate, edits.switch):
        with pytest.raises(Invalid):
            edit(definition, [at])
    with pytest.raises(Invalid):
        edits.step_at(definition, at)


def test_a_note_is_set_on_a_step_or_on_the_workflow() -> None:
    definition: Any = {"actions": [{"id": "a", "type": "WAIT"}], "settings": {"timeoutSeconds": 5}}
    noted = edits.annotate(edits.annotate(definition, "", " All "), "/actions/0", " One ")
    assert (noted["settings"], noted["actions"][0]["note"]) == ({"timeoutSeconds": 5, "note": "All"}, "One")
    assert edits.annotate(edits.annotate(noted, "", " "), "/actions/0", "") == definition
    assert edits.annotate({"actions": []}, "", " ") == {"actions": [], "settings": None}
