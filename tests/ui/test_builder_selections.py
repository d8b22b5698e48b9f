"""Several steps at once, the clipboard, and undo and redo."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import FLOW, Builder
from tests.ui.test_pages import created

HOOK = "https://hooks.example.test/hush"


@pytest.fixture
def orders(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, FLOW))


def copied(builder: Builder, *at: str) -> str:
    answer = builder.edit("", to="copy", at=list(at))
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/plain"
    return str(answer.text)


def test_several_steps_are_edited_as_one_and_undone_as_one(orders: Builder) -> None:
    orders.edit("delete", at=["/actions/2", "/actions/0"])
    assert orders.ids == ["large"]
    orders.edit("", to="undo")
    assert orders.ids == ["fetch", "large", "tell"]
    orders.edit("move", at=["/actions/0", "/actions/2"], into="/actions/1/else", position="0")
    assert [step["id"] for step in orders.definition["actions"][0]["else"]] == ["fetch", "tell"]
    orders.edit("", to="undo")
    orders.edit("duplicate", at=["/actions/0", "/actions/2"])
    assert orders.ids == ["fetch", "large", "tell", "fetch_2", "tell_2"]
    assert orders.definition["actions"][4]["config"]["message"] == "{{ steps.fetch_2.status }}"
    orders.edit("switch", at=["/actions/3", "/actions/4"])
    assert [step.get("enabled") for step in orders.definition["actions"]] == [None, None, None, False, False]


def test_the_open_step_stays_open_where_others_are_deleted(orders: Builder) -> None:
    answer = orders.edit("delete", at="/actions/0", step="/actions/2")
    assert answer.location.endswith("step=/actions/1")


def test_a_step_goes_into_the_block_above_and_out_again(orders: Builder) -> None:
    orders.edit("in", at="/actions/2")
    assert orders.definition["actions"][1]["branches"][0]["actions"][0]["id"] == "tell"
    orders.edit("out", at="/actions/1/branches/0/actions/0")
    assert orders.ids == ["fetch", "large", "tell"]
    for op in ("in", "out"):
        answer = orders.edit(op, at="/actions/0")
        assert answer.status_code == 400
    assert "There is no block above the step." in orders.edit("in", at="/actions/0").text


class TestUndoAndRedo:
    def test_what_was_undone_is_redone(self, orders: Builder) -> None:
        orders.edit("delete", at="/actions/2")
        orders.edit("delete", at="/actions/0")
        for _ in range(2):
            orders.edit("", to="undo")
        assert orders.ids == ["fetch", "large", "tell"]
        orders.edit("", to="redo")
        assert orders.ids == ["fetch", "large"]
        orders.edit("", to="redo")
        assert orders.ids == ["large"]
        assert orders.edit("", to="redo").status_code == 400
        orders.edit("", to="undo")
        orders.edit("", to="undo")
        assert orders.definition["actions"][2]["config"]["webhookUrl"] == HOOK

    def test_a_new_edit_ends_what_could_be_redone(self, orders: Builder) -> None:
        orders.edit("delete", at="/actions/2")
        orders.edit("", to="undo")
        orders.edit("up", at="/actions/2")
        assert orders.edit("", to="redo").status_code == 400
        assert orders.ids == ["fetch", "tell", "large"]

    def test_an_undo_that_is_refused_can_be_tried_again(self, orders: Builder) -> None:
        orders.edit("delete", at="/actions/2")
        assert orders.edit("", to="undo", revision=0).status_code == 409
        orders.edit("", to="undo")
        assert orders.ids == ["fetch", "large", "tell"]

    def test_a_draft_too_large_to_keep_is_not_skipped(self, orders: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
        orders.edit("delete", at="/actions/2")
        monkeypatch.setattr("webapp.ui.kept_definitions._LARGEST", 100)
        orders.edit("delete", at="/actions/1")
        assert orders.edit("", to="undo").status_code == 400, "it would take two edits back"


class TestClipboard:
    def test_steps_are_copied_as_yaml_without_their_secrets(self, orders: Builder) -> None:
        text = copied(orders, "/actions/2", "/actions/0")
        assert [step["id"] for step in yaml.safe_load(text)] == ["fetch", "tell"]
        assert text.startswith("- id: fetch\n  type: HTTP_REQUEST\n")
        assert "hush" not in text

    def test_they_have_their_secrets_again_where_they_are_pasted(
        self, orders: Builder, ada: Browser, app: Flask
    ) -> None:
        text = copied(orders, "/actions/0", "/actions/2")
        other = Builder(ada, app, created(ada, {**FLOW, "actions": FLOW["actions"][:1]}))
        other.edit("paste", text=text, into="/actions", position="0")
        assert other.ids == ["fetch_2", "tell", "fetch"]
        config = other.definition["actions"][1]["config"]
        assert config == {"webhookUrl": HOOK, "message": "{{ steps.fetch_2.status }}"}

    def test_what_was_cut_comes_back_with_its_secrets(self, orders: Builder) -> None:
        text = copied(orders, "/actions/2")
        orders.edit("delete", at="/actions/2")
        orders.edit("paste", text=text, at="/actions/0")
        assert orders.ids == ["fetch", "tell", "large"]
        assert orders.definition["actions"][1]["config"]["webhookUrl"] == HOOK

    def test_a_text_that_names_a_step_does_not_get_its_secrets(self, orders: Builder) -> None:
        [step] = yaml.safe_load(copied(orders, "/actions/2"))
        for changed in ({"config": {**step["config"], "message": "to somebody else"}}, {"id": "other"}):
            orders.edit("paste", text=yaml.safe_dump([{**step, **changed}]), into="/actions", position="3")
            assert orders.definition["actions"][3]["config"]["webhookUrl"] == ""
            orders.edit("delete", at="/actions/3")

    def test_others_get_no_secrets(self, orders: Builder, signed_up: Any, app: Flask) -> None:
        text = copied(orders, "/actions/2")
        eve = signed_up("eve")
        hers = Builder(eve, app, created(eve, {**FLOW, "actions": FLOW["actions"][:1]}))
        hers.edit("paste", text=text, into="/actions", position="1")
        assert hers.definition["actions"][1]["config"]["webhookUrl"] == ""
        assert eve.send(f"{orders.path}/copy", "/settings", at="/actions/2").status_code == 404

    @pytest.mark.parametrize(
        "text",
        [
            "- {id: a, type: WAIT, config: {seconds: 1}}",
            "{id: a, type: WAIT, config: {seconds: 1}}",
            '{"id": "a", "type": "WAIT", "config": {"seconds": 1}}',
            "name: x\ntrigger: {type: manual}\nactions:\n  - {id: a, type: WAIT, config: {seconds: 1}}",
        ],
        ids=["a list", "one action", "JSON", "a workflow"],
    )
    def test_actions_are_pasted_in_any_form(self, orders: Builder, text: str) -> None:
        orders.edit("paste", text=text, into="/actions/1/else", position="0")
        assert orders.definition["actions"][1]["else"] == [{"id": "a", "type": "WAIT", "config": {"seconds": 1}}]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "there is no text to paste"),
            ("Dear all, the meeting is at 10.", "this is not a step"),
            ("- {id: a, type: WAIT}\n- hello", "line 2: entry 2 is not a step with a type"),
            ("a: [", "is not YAML"),
            ("[]", "there are no steps in it"),
            ("actions: []", "there are no steps in it"),
            ("- {type: FOR_EACH, actions: [7]}", "holds something that is not a step"),
            ("- {type: WAIT}\n" * 501, "more than 500 steps"),
            ("x" * 500_001, "longer than 500,000 characters"),
            ("&a [*a]", "line 1"),
        ],
    )
    def test_a_foreign_text_is_refused_with_its_reason(self, orders: Builder, text: str, said: str) -> None:
        answer = orders.edit("paste", text=text, into="/actions", position="0")
        assert answer.status_code == 400
        assert said in answer.text
        assert orders.ids == ["fetch", "large", "tell"]


class TestBranches:
    def test_they_are_renamed_and_moved_at_their_titles(self, orders: Builder) -> None:
        orders.edit("add-branch", at="/actions/1")
        orders.edit("rename-branch:1", at="/actions/1", name=" small ")
        assert [branch["name"] for branch in orders.definition["actions"][1]["branches"]] == ["yes", "small"]
        orders.edit("branch-up:1", at="/actions/1")
        assert [branch["name"] for branch in orders.definition["actions"][1]["branches"]] == ["small", "yes"]
        orders.edit("branch-down:0", at="/actions/1")
        assert [branch["name"] for branch in orders.definition["actions"][1]["branches"]] == ["yes", "small"]

    @pytest.mark.parametrize("number", ["", "-1", "9", "99999999999999999999", "x"])
    def test_one_that_is_not_there_is_refused(self, orders: Builder, number: str) -> None:
        for op in ("rename-branch", "branch-up", "branch-down", "remove-branch"):
            assert orders.edit(f"{op}:{number}", at="/actions/1", name="x").status_code == 400

    def test_each_title_in_the_flow_has_a_menu_of_its_branch(self, orders: Builder) -> None:
        orders.edit("rename-branch:0", at="/actions/1", name='a "b" <c>')
        head = re.findall(r'<header data-branch="0" data-name="([^"]*)">(.*?)</header>', orders.page(), re.DOTALL)
        assert [name for name, _ in head] == ["a &#34;b&#34; &lt;c&gt;"]
        assert "data-branch-menu" in head[0][1]

    def test_what_is_open_stays_open_where_its_branch_moves(self, orders: Builder) -> None:
        orders.edit("in", at="/actions/2")
        orders.edit("add-branch", at="/actions/1", step="/actions/0")
        inside = "/actions/1/branches/{}/actions/0"
        moved = orders.edit("branch-down:0", at="/actions/1", step=inside.format(0))
        assert moved.location.endswith(f"step={inside.format(1)}")
        removed = orders.edit("remove-branch:0", at="/actions/1", step=inside.format(1))
        assert removed.location.endswith(f"step={inside.format(0)}")
        added = orders.edit("add-branch", at="/actions/1", step="/actions/0")
        assert added.location.endswith("step=/actions/0")

    def test_a_name_is_needed(self, orders: Builder) -> None:
        assert orders.edit("rename-branch:0", at="/actions/1", name=" ").status_code == 400


def test_a_note_is_written_changed_and_deleted_at_its_step(orders: Builder) -> None:
    orders.edit("note", at="/actions/0", note=" Ask **Ada**. ")
    assert orders.definition["actions"][0]["note"] == "Ask **Ada**."
    orders.edit("note", at="/actions/0", note=" ")
    assert "note" not in orders.definition["actions"][0]


def test_the_note_on_the_workflow_stands_above_the_flow(orders: Builder) -> None:
    assert 'data-written=""' in orders.page()
    answer = orders.edit("note", note=" Ask **Ada**. ", step="/actions/1")
    assert answer.location.endswith("step=/actions/1")
    assert orders.definition["settings"]["note"] == "Ask **Ada**."
    assert "<strong>Ada</strong>" in orders.page()
    orders.edit("note", note=" ")
    assert not (orders.definition.get("settings") or {}).get("note")
