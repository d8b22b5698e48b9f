"""The builder without script: every edit is a form, and leads back to the page."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from flowforge.db.tables import Workflow
from tests.ui.conftest import Browser
from tests.ui.test_pages import created
from webapp.context import session
from webapp.services import drafts

FLOW: dict[str, Any] = {
    "name": "Orders",
    "trigger": {"type": "webhook"},
    "actions": [
        {"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": "https://shop.example.test/orders"}},
        {
            "id": "large",
            "type": "BRANCH",
            "branches": [{"name": "yes", "when": "{{ trigger.body.total > 100 }}", "actions": []}],
            "else": [],
        },
        {
            "id": "tell",
            "type": "SLACK_MESSAGE",
            "config": {"webhookUrl": "https://hooks.example.test/hush", "message": "{{ steps.fetch.status }}"},
        },
    ],
}


NAME = re.compile(r'name="([^"]+)"')


class Builder:
    """Somebody at the builder of one workflow."""

    def __init__(self, browser: Browser, app: Flask, path: str) -> None:
        self.browser, self.app, self.path = browser, app, f"{path}/build"

    def page(self, step: str = "") -> str:
        answer = self.browser.get(f"{self.path}?step={step}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def edit(self, op: str, *, to: str = "edit", revision: int | None = None, **fields: Any) -> Any:
        known = self.revision if revision is None else revision
        return self.browser.send(f"{self.path}/{to}", self.path, op=op, revision=str(known), **fields)

    @property
    def revision(self) -> int:
        found = re.search(r'data-revision="(\d+)"', self.page())
        assert found
        return int(found[1])

    @property
    def definition(self) -> Any:
        """What is in the draft, secrets in clear."""
        with self.app.test_request_context():
            found = session().get_one(Workflow, UUID(self.path.split("/")[2]))
            return drafts().clear(session(), found.user_id, found.id)

    @property
    def ids(self) -> list[str]:
        return [step["id"] for step in self.definition["actions"]]


@pytest.fixture
def orders(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, FLOW))


def test_the_flow_is_drawn_with_its_blocks_inside(orders: Builder) -> None:
    page = orders.page()
    for text in (
        "HTTP request",
        "Branch",
        "Slack message",
        "yes: if trigger.body.total is greater than 100",
        "Otherwise",
    ):
        assert text in page
    assert 'data-into="/actions/1/branches/0/actions"' in page
    assert "hush" not in orders.page("/actions/2")


def test_a_card_has_the_name_by_which_executions_know_its_step(ada: Browser, app: Flask) -> None:
    inner = {"id": "inner", "type": "TRANSFORM", "config": {"output": {}}}
    loop = {"type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": [inner]}
    rest = {"type": "WAIT", "config": {"seconds": 1}}
    flow = {"name": "w", "trigger": {"type": "manual"}, "actions": [loop, rest]}
    builder = Builder(ada, app, created(ada, flow))
    assert re.findall(r'data-at="\S+"\s+data-step="(\w+)"', builder.page()) == ["step_0", "inner", "step_2"]


def test_a_step_is_added_where_it_is_wanted_and_opened(orders: Builder) -> None:
    answer = orders.edit("add", type="TRANSFORM", into="/actions/1/else", position="0")
    assert answer.status_code == 303
    assert answer.location.endswith("step=/actions/1/else/0&fresh=1")
    assert [step["type"] for step in orders.definition["actions"][1]["else"]] == ["TRANSFORM"]


def test_a_block_that_repeats_has_its_list_its_fields_and_what_its_rounds_see(orders: Builder) -> None:
    orders.edit("add", type="REPEAT", into="/actions", position="3")
    assert orders.definition["actions"][3] == {"id": "repeat", "type": "REPEAT", "config": {}, "actions": []}
    orders.edit("", to="step", at="/actions/3", **{"config.until": "{{ round.number == 3 }}", "config.delay": "5"})
    orders.edit("add", type="TRANSFORM", into="/actions/3/actions", position="0")
    assert orders.definition["actions"][3]["config"] == {"until": "{{ round.number == 3 }}", "delay": 5}
    page = orders.page("/actions/3/actions/0")
    for text in ("Each round", "round.number is 3", "This round", "Carried from the round before"):
        assert text in page
    assert 'data-into="/actions/3/actions"' in page


def test_expressions_are_offered_only_where_a_field_takes_them(orders: Builder) -> None:
    orders.edit("add", type="AGENT", into="/actions", position="3")
    orders.edit("add", type="TOOL", into="/actions/3/actions", position="0")
    panel = orders.page("/actions/3/actions/0")
    assert 'name="config.parameters.name"' in panel
    assert "write:config.parameters" not in panel
    taking = {
        named for tag in re.findall(r"<(?:input|textarea)[^>]*data-expression", panel) for named in NAME.findall(tag)
    }
    assert "config.result" in taking
    assert taking.isdisjoint({"config.description", "config.parameters.value"})
    assert "write:config.onCallError" not in panel


def test_steps_are_moved_copied_switched_and_deleted(orders: Builder) -> None:
    orders.edit("up", at="/actions/2")
    assert orders.ids == ["fetch", "tell", "large"]
    orders.edit("duplicate", at="/actions/1")
    assert orders.ids == ["fetch", "tell", "tell_2", "large"]
    assert orders.definition["actions"][2]["config"]["webhookUrl"].endswith("hush"), "a copy keeps its secrets"
    orders.edit("switch", at="/actions/0")
    assert orders.definition["actions"][0]["enabled"] is False
    orders.edit("delete", at="/actions/0")
    assert orders.ids == ["tell", "tell_2", "large"]
    orders.edit("move", at="/actions/1", into="/actions/2/else", position="0")
    assert orders.definition["actions"][1]["else"][0]["id"] == "tell_2"
    orders.edit("up", at="/actions/1/else/0")
    assert orders.ids == ["tell", "tell_2", "large"], "from the top of a list it goes out of the block"


def test_what_was_deleted_comes_back_with_its_secrets(orders: Builder) -> None:
    orders.edit("delete", at="/actions/2")
    assert orders.ids == ["fetch", "large"]
    orders.edit("", to="undo")
    assert orders.ids == ["fetch", "large", "tell"]
    assert orders.definition["actions"][2]["config"]["webhookUrl"] == "https://hooks.example.test/hush"


def test_a_header_with_the_name_of_a_secret_is_masked_and_kept(ada: Browser, app: Flask) -> None:
    config = {
        "url": "https://x.test/?token=hush-1",
        "headers": {"Authorization": "Bearer hush-2", "X-Plain": "seen"},
        "query": {"api_key": "hush-3"},
    }
    builder = Builder(ada, app, created(ada, {"name": "w", "actions": [{"type": "HTTP_REQUEST", "config": config}]}))
    page = builder.page("/actions/0")
    assert "hush" not in page
    assert "seen" in page
    shown = {
        "config.url": "https://x.test/?token=********",
        "config.headers.name": ["Authorization", "X-Plain"],
        "config.headers.value": ["********", "changed"],
        "config.query.name": ["api_key"],
        "config.query.value": ["********"],
    }
    builder.edit("", to="step", at="/actions/0", **shown)
    kept = builder.definition["actions"][0]["config"]
    assert kept == {**config, "headers": {"Authorization": "Bearer hush-2", "X-Plain": "changed"}}


def test_a_form_is_saved_and_masks_keep_what_they_stand_for(orders: Builder) -> None:
    fields = {"config.webhookUrl": "********", "config.message": "Hello", "config.channel": "#shop"}
    orders.edit("", to="step", at="/actions/2", name="Tell the shop", id="say", **fields)
    step = orders.definition["actions"][2]
    assert (step["name"], step["id"]) == ("Tell the shop", "say")
    assert step["config"] == {
        "webhookUrl": "https://hooks.example.test/hush",
        "message": "Hello",
        "channel": "#shop",
    }


def test_a_step_says_whether_it_is_done_again_after_a_crash(orders: Builder) -> None:
    assert "Default for this action: repeat the call" in orders.page("/actions/0")
    assert "Default for this action: fail" in orders.page("/actions/2")
    assert 'name="afterCrash"' not in orders.page("/actions/1")
    orders.edit("", to="step", at="/actions/0", afterCrash="fail")
    assert orders.definition["actions"][0]["afterCrash"] == "fail"
    assert '<option value="fail" selected>' in orders.page("/actions/0")
    orders.edit("", to="step", at="/actions/0", afterCrash="")
    assert "afterCrash" not in orders.definition["actions"][0]


def test_what_calls_nobody_needs_no_word_about_a_crash(ada: Browser, app: Flask) -> None:
    action = {"type": "TRANSFORM", "config": {"output": {"n": 1}}}
    flow = {"name": "Numbers", "trigger": {"type": "manual"}, "actions": [action, {**action, "afterCrash": "fail"}]}
    numbers = Builder(ada, app, created(ada, flow))
    assert 'name="afterCrash"' not in numbers.page("/actions/0")
    written = numbers.page("/actions/1")
    assert '<option value="fail" selected>' in written
    assert "TRANSFORM calls nobody" in written


def test_a_new_id_is_followed_by_the_expressions_that_use_it(orders: Builder) -> None:
    orders.edit("", to="step", at="/actions/0", id="load", **{"config.url": "https://shop.example.test/orders"})
    assert orders.definition["actions"][2]["config"]["message"] == "{{ steps.load.status }}"


def test_what_is_wrong_stands_beside_the_field_and_on_the_card(orders: Builder) -> None:
    orders.edit("", to="step", at="/actions/0", id="fetch", **{"config.url": "{{ steps.nobody.x }}"})
    page = orders.page("/actions/0")
    assert re.search(r'data-note="config/url">[^<]*nobody', page)
    assert "1 problem" in page


def test_the_trigger_is_chosen_and_set(orders: Builder) -> None:
    orders.edit("", to="trigger", type="scheduler", drawn="webhook")
    orders.edit(
        "",
        to="trigger",
        type="scheduler",
        drawn="scheduler",
        **{"config.formKind": "cron", "config.cron": "0 9 * * 1-5"},
    )
    assert orders.definition["trigger"] == {"type": "scheduler", "config": {"cron": "0 9 * * 1-5"}}
    assert "Monday through Friday" in orders.page()


def test_a_webhook_shows_the_fields_of_the_authentication_that_is_chosen(orders: Builder) -> None:
    def choose(**fields: str) -> str:
        """Fill in fields of the panel as it is, and see what it shows then."""
        named = {f"config.{name}": value for name, value in fields.items()}
        orders.edit("", to="trigger", type="webhook", drawn="webhook", **named)
        return orders.page("trigger")

    panel = choose(auth="meta")
    assert "Verify token" in panel
    assert ">Meta, WhatsApp</option>" in panel

    assert "a word" not in choose(auth="meta", secret="the app secret", verifyToken="a word")
    kept = {"auth": "meta", "secret": "the app secret", "verifyToken": "a word"}
    assert orders.definition["trigger"]["config"] == kept

    assert "Verify token" not in choose(auth="github", secret="********", verifyToken="********")
    assert orders.definition["trigger"]["config"] == {"auth": "github", "secret": "the app secret"}


def test_the_panel_is_drawn_anew_only_where_another_authentication_is_chosen(orders: Builder) -> None:
    shown = re.search(r'name="fields" value="([^"]*)"', orders.page("trigger"))
    assert shown is not None
    token = orders.browser.token(orders.path)
    wanted = {"type": "webhook", "drawn": "webhook", "fields": shown[1], "csrf_token": token}

    def sent(**fields: str) -> str:
        named = {f"config.{name}": value for name, value in fields.items()}
        data = {**wanted, **named, "revision": str(orders.revision)}
        return orders.browser.client.post(f"{orders.path}/trigger", data=data, headers={"X-Part": "1"}).text

    assert 'name="config.auth"' not in sent(deliveryHeader="X-Id")
    assert "Verify token" in sent(auth="meta")


def test_the_methods_of_a_webhook_are_ticked(orders: Builder) -> None:
    orders.edit("", to="trigger", type="webhook", drawn="webhook", **{"config.methods": ["POST", "PUT"]})
    assert orders.definition["trigger"]["config"] == {"methods": ["POST", "PUT"]}
    assert re.findall(r'name="config.methods" value="(\w+)" checked', orders.page()) == ["POST", "PUT"]
    orders.edit("", to="trigger", type="webhook", drawn="webhook", **{"config.methods": ["GET", "POST"]})
    assert orders.definition["trigger"]["config"] == {}


def test_an_edit_of_what_changed_in_another_tab_is_refused_and_nothing_is_lost(orders: Builder) -> None:
    stale = orders.revision
    orders.edit("delete", at="/actions/2")
    answer = orders.edit("delete", at="/actions/0", revision=stale)
    assert answer.status_code == 409
    assert "was changed in another tab" in answer.text
    assert orders.ids == ["fetch", "large"]


@pytest.mark.parametrize("at", ["", "/actions", "/actions/9", "/name", "/actions/0/config"])
@pytest.mark.parametrize("op", ["up", "down", "delete", "duplicate", "switch", "move", "add-branch"])
def test_an_edit_of_a_step_that_is_gone_is_refused(orders: Builder, op: str, at: str) -> None:
    assert orders.edit(op, at=at, into="/actions", position="0").status_code == 400
    assert orders.ids == ["fetch", "large", "tell"]


def test_the_parts_of_the_page_come_alone_for_the_script(orders: Builder) -> None:
    answer = orders.browser.client.get(f"{orders.path}?step=/actions/0", headers={"X-Part": "yes"})
    assert re.findall(r'data-part="(\w+)"', answer.text) == ["bar", "flow", "panel"]
    assert "<html" not in answer.text


def test_a_draft_is_published_and_the_page_says_so(orders: Builder) -> None:
    orders.edit("", to="name", name="Big orders")
    assert ">Unpublished changes<" in orders.page()
    answer = orders.edit("", to="publish", note="a better name")
    assert answer.status_code == 303
    page = orders.browser.get(answer.location).text
    assert "“Big orders” is published and enabled" in page
    assert re.search(r"data-published-url>.*?/webhook/", page, re.DOTALL)
    assert ">Unpublished changes<" not in page


def test_text_and_back_lose_nothing(orders: Builder) -> None:
    page = orders.browser.get(f"{orders.path}/text?as=yaml").text
    assert "steps.fetch.status" in page
    step = "{id: one, type: TRANSFORM, config: {output: {a: 1}}}"
    text = f"name: From text\ntrigger: {{type: webhook}}\nactions:\n  - {step}\n"
    sent = {"as": "yaml", "text": text, "build": "yes", "revision": str(orders.revision)}
    answer = orders.browser.send(f"{orders.path}/text", orders.path, **sent)
    assert answer.location.endswith("/build")
    assert orders.ids == ["one"]


def test_text_that_cannot_be_read_names_the_line_and_is_kept(orders: Builder) -> None:
    sent = {"as": "yaml", "text": "name: x\nactions: [", "revision": "0"}
    answer = orders.browser.send(f"{orders.path}/text", orders.path, **sent)
    assert answer.status_code == 400
    assert "line" in answer.text
    assert "actions: [" in answer.text


def test_other_peoples_builders_are_not_there(orders: Builder, signed_up: Any) -> None:
    eve = signed_up("eve")
    for path in ("", "/text"):
        assert eve.get(orders.path + path).status_code == 404
    for path in (
        "edit",
        "name",
        "note",
        "step",
        "trigger",
        "undo",
        "publish",
        "discard",
        "run",
        "test",
        "preview",
        "sample",
    ):
        assert eve.send(f"{orders.path}/{path}", "/settings", op="delete", at="/actions/0").status_code == 404, path
    assert orders.ids == ["fetch", "large", "tell"]


def test_a_form_without_the_sessions_token_changes_nothing(orders: Builder) -> None:
    assert orders.browser.post(f"{orders.path}/edit", op="delete", at="/actions/0", revision="0").status_code == 403
    assert orders.ids == ["fetch", "large", "tell"]


def test_keys_without_effect_are_told_in_the_bar_at_their_step_and_beside_the_text(ada: Browser, app: Flask) -> None:
    config = {"url": "https://x.test", "mehtod": "POST"}
    path = created(ada, {"name": "w", "actions": [{"type": "HTTP_REQUEST", "config": config}]})
    builder = Builder(ada, app, path)
    told = "config.mehtod is not known, so it has no effect; did you mean &#39;method&#39;?"
    assert "1 warning" in builder.page()
    assert told not in builder.page()
    assert told in builder.page("/actions/0")
    assert "/actions/0/config/mehtod" in ada.get(f"{path}/build/text").text


class TestApprovals:
    """The two ways that follow are two lanes."""

    def test_steps_are_added_to_what_is_done_about_a_rejection(self, ada: Browser, app: Flask) -> None:
        ask = {"id": "ask", "type": "WAIT", "config": {"for": "approval"}}
        builder = Builder(ada, app, created(ada, {"name": "Asking", "actions": [ask]}))
        lanes = re.findall(r'class="flow-lane" aria-label="(\w+)"', builder.page())
        assert lanes == ["Approved", "Rejected"]
        assert "The workflow fails, unless there are steps here." in builder.page()

        builder.edit("add", into="/actions/0/onReject", position="0", type="TRANSFORM")

        [inner] = builder.definition["actions"][0]["onReject"]
        assert inner["type"] == "TRANSFORM"
        assert "The steps below do not run then." in builder.page()

    def test_what_follows_a_rejection_is_chosen(self, ada: Browser, app: Flask) -> None:
        ask = {"id": "ask", "type": "WAIT", "config": {"for": "approval"}}
        builder = Builder(ada, app, created(ada, {"name": "Asking", "actions": [ask]}))
        assert 'name="onReject"' in builder.page("/actions/0")
        chosen = {"at": "/actions/0", "config.formKind": "approval", "onReject": "continue"}
        builder.edit("", to="step", **chosen)
        assert builder.definition["actions"][0]["onReject"] == "continue"
        assert "Continues below, too." in builder.page()
        builder.edit("", to="step", **{**chosen, "config.formKind": "call"})
        assert "onReject" not in builder.definition["actions"][0]


class TestNotes:
    def test_a_step_has_one_which_the_page_of_the_workflow_shows(self, orders: Builder) -> None:
        fields = {
            "config.url": "https://shop.example.test",
            "note": "Ask **Ada** first.\n\n# Why\n\n<script>alert(1)</script>",
        }
        orders.edit("", to="step", at="/actions/0", **fields)
        assert orders.definition["actions"][0]["note"].startswith("Ask **Ada** first.")
        assert "has a note" in orders.page()
        orders.edit("", to="publish")
        page = orders.browser.get(orders.path.removesuffix("/build")).text
        assert "<p>Ask <strong>Ada</strong> first.</p>\n<h3>Why</h3>" in page
        assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in page

    def test_the_workflow_has_one_beside_its_other_settings(self, orders: Builder) -> None:
        orders.edit("", to="note", note=" Runs [here](https://x.test). ![](https://x.test/pixel.png) ")
        assert orders.definition["settings"] == {"note": "Runs [here](https://x.test). ![](https://x.test/pixel.png)"}
        orders.edit("", to="publish")
        page = orders.browser.get(orders.path.removesuffix("/build")).text
        assert '<a href="https://x.test">here</a>' in page
        assert "<img" not in page

    def test_an_empty_one_is_none(self, orders: Builder) -> None:
        orders.edit("", to="note", note="Runs at night.")
        orders.edit("", to="note", note=" ")
        assert not orders.definition.get("settings")

    def test_one_that_is_too_long_is_a_problem_of_its_field(self, orders: Builder) -> None:
        orders.edit("", to="step", at="/actions/0", note="x" * 4_001)
        assert "at most 4000 characters" in orders.page("/actions/0")
