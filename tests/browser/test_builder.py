"""Building by clicking and by keyboard, on a desk and on a phone, until the workflow runs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Locator, Page, expect
from pytest_httpserver import HTTPServer

from tests.browser.watched import SIZES, Windows, examine
from tests.descriptions import as_file, petstore

Register = Callable[[Page], str]

COPY_AS_FIREFOX = "panel.dispatchEvent(new ClipboardEvent('copy', {bubbles: true, cancelable: true}))"
"""Its event happens where the last caret was, wherever the focus is; false where the page takes it."""


class Builder:
    """Somebody who builds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.goto("/workflows")
        page.get_by_role("button", name="New workflow").first.click()
        page.wait_for_url(re.compile("/build"))

    def add(self, words: str, list_of: str = "/actions", position: int = 0) -> None:
        """By the plus at that place, typing into the palette."""
        self.page.locator(f'.slot[data-into="{list_of}"][data-position="{position}"] .plus').click()
        expect(self.page.get_by_role("dialog")).to_be_visible()
        self.page.keyboard.type(words)
        self.page.keyboard.press("Enter")
        expect(self.card(f"{list_of}/{position}")).to_have_class(re.compile("opened"))

    def card(self, at: str) -> Locator:
        return self.page.locator(f'.node[data-at="{at}"]')

    @property
    def titles(self) -> list[str]:
        return self.page.locator(".drawing > .flow-list > .node > .box strong").all_inner_texts()

    def saved(self) -> None:
        """Everything that was typed is in the draft."""
        with self.page.expect_response(re.compile("/build/")):
            self.page.keyboard.press("Tab")


@pytest.fixture
def builder(windows: Windows, register: Register) -> Builder:
    """Of somebody who is new here, at a desk, with an empty workflow open."""
    page = windows.open()
    register(page)
    return Builder(page)


@pytest.mark.parametrize("size", SIZES)
def test_webhook_condition_slack_is_built_published_and_runs(
    windows: Windows, register: Register, httpserver: HTTPServer, size: str
) -> None:
    httpserver.expect_request("/slack", method="POST").respond_with_data("ok")
    page = windows.open(size)
    register(page)
    builder = Builder(page)
    page.get_by_label("Name of the workflow").fill("Large orders")
    builder.saved()
    builder.add("branch")
    page.get_by_label("Value", exact=True).fill("trigger.body.total")
    page.get_by_label("Operator").select_option(label="is greater than")
    page.get_by_label("Compare with").fill("100")
    builder.saved()
    expect(page.locator("#flow")).to_contain_text("trigger.body.total is greater than 100")
    builder.add("slack", "/actions/0/branches/0/actions")
    page.get_by_role("textbox", name="Webhook URL").fill(httpserver.url_for("/slack"))
    page.get_by_role("textbox", name="Message").fill("An order of {{ trigger.body.total }}")
    builder.saved()
    expect(page.locator("#bar")).not_to_contain_text("problem")
    page.locator("#bar summary", has_text="Publish").click()
    page.get_by_label("What has changed?").fill("the first one")
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_text("“Large orders” is published")).to_be_visible()
    page.locator(".trigger-node a").click()
    answer = requests.post(page.locator("[data-webhook-url] pre").inner_text(), json={"total": 240}, timeout=10)
    assert answer.status_code == 200
    page.goto("/executions")
    page.locator("tbody a.main").first.click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    assert [request.json for request, _ in httpserver.log] == [{"text": "An order of 240"}]


def test_steps_are_moved_deleted_and_brought_back_by_keyboard(builder: Builder) -> None:
    page = builder.page
    builder.add("transform")
    builder.add("wait", position=1)
    page.locator('#flow [data-open="/actions/1"]').focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(builder.card("/actions/0")).to_contain_text("Wait")
    expect(page.locator('#flow [data-open="/actions/0"]')).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator("#flow .node[data-at]")).to_have_count(1)
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#flow .node[data-at]")).to_have_count(2)
    assert builder.titles == ["Wait", "Transform"]


def test_steps_are_selected_copied_cut_and_pasted_by_keyboard(builder: Builder) -> None:
    page = builder.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for position, words in enumerate(("transform", "wait", "for each")):
        builder.add(words, position=position)
    page.locator('#flow [data-open="/actions/0"]').focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#selection output")).to_have_text("2 steps selected")
    page.keyboard.press("Control+c")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("- id: transform\n")
    assert page.evaluate(COPY_AS_FIREFOX) is False
    page.locator('#flow [data-open="/actions/2"]').focus()
    page.keyboard.press("Control+v")
    expect(page.locator("#flow .node[data-at]")).to_have_count(5)
    assert builder.titles == ["Transform", "Wait", "For each", "Transform", "Wait"]
    page.locator('#flow [data-open="/actions/3"]').focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(builder.card("/actions/2/actions/0")).to_contain_text("Transform")
    page.locator('#flow [data-open="/actions/2"]').focus()
    page.keyboard.press("ArrowLeft")
    expect(builder.card("/actions/2/actions/0")).to_be_hidden()
    expect(builder.card("/actions/2").locator(".inside").first).to_contain_text("1 step")
    page.keyboard.press("Control+z")
    expect(page.locator("#flow > .drawing > .flow-list > .node")).to_have_count(5)
    page.keyboard.press("Control+y")
    expect(page.locator("#flow > .drawing > .flow-list > .node")).to_have_count(4)


def test_a_step_is_moved_by_the_list_of_places(builder: Builder) -> None:
    page = builder.page
    builder.add("transform")
    builder.add("for each", position=1)
    builder.card("/actions/0").locator("[data-menu]").click()
    page.get_by_role("menuitem", name="Move to …").click()
    page.get_by_role("searchbox", name="Find a place").fill("for each › at")
    page.get_by_role("dialog").locator("li:not([hidden]) button").click()
    expect(builder.card("/actions/0/actions/0")).to_contain_text("Transform")


def test_branches_are_edited_at_their_titles(builder: Builder) -> None:
    page = builder.page
    builder.add("condition")
    titles = page.locator("#flow [data-branch] .lane-title")
    titles.first.dblclick()
    page.keyboard.type("large")
    page.keyboard.press("Enter")
    expect(titles.first).to_have_text("large")
    more = page.locator("#flow [data-branch-menu]")
    expect(more.first).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Add a branch").click()
    expect(titles).to_have_count(2)
    expect(more.nth(1)).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("small")
    page.keyboard.press("Enter")
    expect(more.nth(1)).to_have_accessible_name("More for branch small")
    more.nth(1).click()
    page.get_by_role("menuitem", name="Move earlier").click()
    expect(titles).to_contain_text(["small", "large"])
    page.get_by_role("button", name="Add a note on the workflow").click()
    page.get_by_role("textbox", name="Note").fill("Ask **Ada**.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#flow .flow-note strong")).to_have_text("Ada")


def test_a_step_is_dragged_into_a_block(builder: Builder) -> None:
    page = builder.page
    builder.add("transform")
    builder.add("for each", position=1)
    builder.card("/actions/0").locator(".box").drag_to(page.locator('.slot[data-into="/actions/1/actions"]'))
    expect(builder.card("/actions/0/actions/0")).to_contain_text("Transform")
    assert builder.titles == ["For each"]


def test_data_of_the_last_call_is_clicked_into_a_field(builder: Builder) -> None:
    page = builder.page
    page.get_by_role("button", name="Listen for a request").click()
    url = page.locator("[data-test-url] pre").inner_text()
    assert requests.post(url, json={"customer": {"name": "Ada"}}, timeout=10).status_code == 200
    expect(page.get_by_text("A request came in")).to_be_visible()
    builder.add("slack")
    message = page.get_by_role("textbox", name="Message")
    message.fill("Hello ")
    message.press("End")
    page.get_by_role("tab", name="Data").click()
    page.locator("summary", has=page.locator(".key:text-is('customer')")).click()
    page.get_by_title("trigger.body.customer.name").click()
    expect(message).to_be_focused()
    expect(message).to_have_value("Hello {{ trigger.body.customer.name }}")
    expect(page.locator("output.preview")).to_contain_text("Hello Ada")


def test_a_new_step_asks_for_what_it_needs_and_has_data_to_pick_from(builder: Builder) -> None:
    page = builder.page
    builder.add("branch")
    expect(page.get_by_label("Value", exact=True)).to_be_focused()
    expect(page.locator(".branch-form")).not_to_contain_text("is missing")
    builder.add("stop", position=1)
    page.locator("#bar summary", has_text="Publish").click()
    expect(page.locator(".problem-places")).to_contain_text("Branch: Condition of “yes” is missing")
    page.locator(".problem-places").get_by_role("link", name="Branch").click()
    expect(page.get_by_role("button", name="Publish now")).to_be_hidden()
    expect(page.get_by_label("Value", exact=True)).to_be_visible()
    page.get_by_role("tab", name="Data").click()
    expect(page.locator("#step-data")).to_contain_text("These values are an example")
    page.locator("#step-data").get_by_role("link", name="trigger").click()
    expect(page.get_by_role("button", name="Listen for a request")).to_be_visible()


def test_a_step_is_found_by_what_it_is_called_elsewhere(builder: Builder) -> None:
    builder.add("loop")
    builder.add("if", position=1)
    builder.add("delay", position=2)
    assert builder.titles == ["For each", "Branch", "Wait"]


def test_what_a_test_of_a_step_gave_comes_into_view(
    windows: Windows, register: Register, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/stock").respond_with_json({"left": 7})
    page = windows.open()
    register(page)
    Builder(page).add("http")
    page.get_by_role("textbox", name="URL").first.fill(httpserver.url_for("/stock"))
    page.get_by_role("button", name="Test this step").click()
    expect(page.locator("#tried")).to_contain_text('"left": 7')
    expect(page.locator("#tried .good")).to_be_in_viewport()


def test_the_values_of_a_field_are_asked_for_and_offered_in_it(
    windows: Windows, register: Register, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/models").respond_with_json({"data": [{"id": "small"}, {"id": "large"}]})
    page = windows.open()
    register(page)
    builder = Builder(page)
    builder.add("language model")
    page.locator("summary", has_text="Options").or_(page.locator("summary", has_text="More")).first.click()
    page.get_by_role("textbox", name="Endpoint").fill(httpserver.url_for("/v1"))
    builder.saved()
    page.get_by_role("button", name="Show what there is").click()
    expect(page.get_by_text("2 values to choose from")).to_be_visible()
    offered = page.locator("input[data-asked]").evaluate("field => [...field.list.options].map(one => one.value)")
    assert offered == ["large", "small"]


def test_an_expression_that_has_no_end_is_said_once(builder: Builder) -> None:
    page = builder.page
    builder.add("slack")
    page.get_by_role("textbox", name="Message").fill("Hello {{ trigger.body")
    builder.saved()
    expect(page.get_by_text("{{ has no }} that ends it").locator("visible=true")).to_have_count(1)


def test_the_url_of_a_webhook_is_copied(windows: Windows, register: Register) -> None:
    page = windows.open()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    register(page)
    Builder(page)
    page.locator("#bar summary", has_text="Publish").click()
    page.get_by_role("button", name="Publish now").click()  # the form of the trigger, which is open, is drawn anew
    page.locator("[data-webhook-url]").get_by_role("button", name="Copy URL").click()
    expect(page.locator("[data-webhook-url]")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("[data-webhook-url] pre").inner_text()


def test_on_a_phone_a_closed_step_leads_back_to_its_card(windows: Windows, register: Register) -> None:
    page = windows.open("phone")
    register(page)
    builder = Builder(page)
    for position in range(3):
        builder.add("transform", position=position)
    expect(page.locator("#panel .panel-head")).to_be_in_viewport()
    page.get_by_label("Close this step").click()
    expect(builder.card("/actions/2").locator(".box")).to_be_in_viewport()


def test_what_was_changed_in_another_tab_is_not_overwritten(windows: Windows, builder: Builder) -> None:
    page = builder.page
    builder.add("transform")
    other = page.context.new_page()
    other.goto(page.url)
    builder.add("wait", position=1)
    other.get_by_label("Name of the workflow").fill("From the other tab")
    other.keyboard.press("Tab")
    expect(other.get_by_role("alert")).to_contain_text("was changed in another tab, or by somebody else")
    other.get_by_role("button", name="Test", exact=True).click()
    expect(other.locator("#run")).to_be_hidden()
    other.get_by_role("link", name="Load the current state").click()
    expect(other.locator("#flow .node[data-at]")).to_have_count(2)
    windows.forgive("409")


def test_what_is_typed_is_saved_before_the_page_is_left(builder: Builder) -> None:
    page = builder.page
    builder.add("slack")
    here = page.url
    page.get_by_role("textbox", name="Message").fill("typed, and gone at once")
    page.goto("/workflows")
    page.goto(here)
    builder.card("/actions/0").locator(".open").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("typed, and gone at once")


def test_the_builder_is_accessible_and_fits(windows: Windows, register: Register) -> None:
    page = windows.open()
    register(page)
    builder = Builder(page)
    examine(page)  # with nothing in it
    page.locator(".plus").first.click()
    examine(page)  # the palette
    page.keyboard.press("Escape")
    for type_ in ("http", "wait", "run a workflow", "respond", "for each", "branch"):
        builder.add(type_)
        examine(page)
    page.locator("[data-menu]").first.click()
    examine(page)  # a menu
    workflow = page.url.partition("/build")[0]
    for path in ("/build/text?as=yaml", "/build/text?as=json", "/versions"):
        examine(page, workflow + path)


def test_without_script_it_is_built_all_the_same(windows: Windows, register: Register) -> None:
    page = windows.open(javascript=False)
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    page.get_by_label("Add a step here").click()
    page.get_by_role("button", name="Transform").click()
    page.get_by_label("Name", exact=True).fill("Shape it")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".node[data-at]")).to_contain_text("Shape it")
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator(".node[data-at]")).to_have_count(2)


def test_one_of_a_thousand_operations_is_found_by_typing(builder: Builder) -> None:
    many = {f"/things/{n}": {"get": {"operationId": f"thing{n}", "responses": {}}} for n in range(1_000)}
    page = builder.page
    page.goto("/apis")
    page.set_input_files(
        "[name=file]", {"name": "api.json", "mimeType": "", "buffer": as_file(petstore(paths=many)).encode()}
    )
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Select all 1,000 shown").click()
    again = Builder(page)
    again.add("get things 777")
    expect(page.locator("#panel")).to_contain_text("GET /things/777")


def test_what_a_test_lacks_is_opened_at_its_field(windows: Windows, builder: Builder) -> None:
    page = builder.page
    builder.add("http request")
    builder.add("transform", position=1)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#refusal")).to_contain_text("HTTP request: URL is required")
    expect(builder.card("/actions/0")).to_have_class(re.compile("opened"))
    expect(page.get_by_label("URL", exact=False).first).to_be_focused()
    expect(page.get_by_text("URL is required", exact=True)).to_be_visible()
    assert "step=%2Factions%2F0" in page.url
    windows.forgive("/build/run")


def test_a_branch_without_a_condition_leads_to_it(builder: Builder) -> None:
    page = builder.page
    builder.add("branch")
    builder.add("transform", "/actions/0/branches/0/actions")
    page.get_by_role("link", name="Set a condition for yes").click()
    expect(page.get_by_label("Value", exact=True)).to_be_focused()
    page.keyboard.type("trigger.body.total")
    page.get_by_label("Operator").select_option(label="is not empty")
    expect(page.locator("#flow")).to_contain_text("trigger.body.total is not empty")
    expect(page.get_by_role("link", name="Set a condition")).to_have_count(0)


def test_an_operator_that_compares_with_nothing_hides_the_value(builder: Builder) -> None:
    page = builder.page
    builder.add("list")
    page.get_by_role("button", name="Add Operation").click()
    page.get_by_label("Kind", exact=True).select_option(label="Filter")
    value = page.get_by_label("Value", exact=True)
    expect(value).to_be_visible()
    page.get_by_label("Condition", exact=True).select_option(label="is not empty")
    expect(value).to_be_hidden()
    page.get_by_label("Condition", exact=True).select_option(label="is")
    expect(value).to_be_visible()
