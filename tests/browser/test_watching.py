"""Watching executions: steps turn green by themselves, also where a proxy blocks the stream; long runs stay readable;
what has run is run again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.gate import Gate
from tests.browser.test_first_run import write_workflow
from tests.browser.watched import SIZES, Windows, grave_violations
from tests.services.language_model import LanguageModel, answers
from tests.services.serving import serving

ITEMS = 1_000
MOST_ELEMENTS = 3_000
"""On a page: what a phone draws without a pause."""
Register = Callable[[Page], str]


@pytest.mark.parametrize("size", SIZES)
def test_steps_turn_green_and_are_replayed(windows: Windows, register: Register, gate: Gate, size: str) -> None:
    page = windows.open(size)
    register(page)
    write_workflow(page, gate)
    run(page, {"body": {"name": "Ada"}})
    expect(page.locator(".step[data-state=RUNNING]")).to_be_visible()
    gate.open()
    expect(page.locator(".step[data-state=SUCCEEDED]")).to_have_count(2)
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    expect(page.locator("#log .log")).to_contain_text("Completed")  # the last line: nothing on the page changes now
    first = page.url.partition("?")[0]
    page.get_by_text("Replay …").click()
    payload = page.get_by_label("Trigger data (JSON")
    payload.fill(payload.input_value().replace("Ada", "Grace"))
    page.get_by_role("button", name="Replay from the start").click()
    expect(page.locator(".step").last).to_contain_text("Hello Grace, it is true")
    assert page.url.partition("?")[0] != first
    page.get_by_role("button", name="Replay from here").last.click()
    expect(page.locator(".step[data-state=SUCCEEDED]")).to_have_count(2)
    expect(page.get_by_text("Replay of")).to_be_visible()


def test_what_is_typed_into_a_form_stays_there_while_the_page_goes_on(
    windows: Windows, register: Register, gate: Gate
) -> None:
    page = windows.open()
    register(page)
    write_workflow(page, gate)
    run(page, {"body": {"name": "Ada"}})
    last = _Held(page, page.locator("#progress").get_attribute("data-part") or "")
    gate.open()
    page.get_by_text("Replay …").click()
    page.get_by_label("Latest").check()
    payload = page.get_by_label("Trigger data (JSON")
    payload.fill('{"body": {"name": ""}}')
    payload.evaluate("field => field.setSelectionRange(19, 19)")
    page.keyboard.type("Gra")
    last.let_go()
    page.keyboard.type("ce")
    expect(payload).to_have_value('{"body": {"name": "Grace"}}')
    expect(page.get_by_label("Latest")).to_be_checked()


class _Held:
    """The last time that a page whose execution is over renews itself: held back until the test says so."""

    def __init__(self, page: Page, path: str) -> None:
        self._page, self._path, self._over = page, path, 0
        self._held: tuple[Route, APIResponse] | None = None
        page.route(re.compile(re.escape(path)), self._answer)

    def _answer(self, route: Route) -> None:
        answer = route.fetch()
        self._over += 'data-over="true"' in answer.text()
        if self._over == 2:
            self._held = route, answer
        else:
            route.fulfill(response=answer)

    def let_go(self) -> None:
        while self._held is None:
            self._page.wait_for_timeout(20)
        self._page.evaluate("document.querySelector('#progress .head').id = 'before'")
        route, answer = self._held
        route.fulfill(response=answer)
        expect(self._page.locator("#before")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("phone", "dark")])
def test_what_a_model_writes_grows_under_its_step(windows: Windows, register: Register, size: str, scheme: str) -> None:
    """It goes on when what it has written before is seen."""
    may_go_on = threading.Semaphore(0)
    model = LanguageModel(lambda _: answers("Tea is dear, and milk is not."))
    model.pause = lambda: may_go_on.acquire(timeout=0.5)
    page = windows.open(size, scheme)
    register(page)
    with serving(model):
        write_model_workflow(page, model)
        run(page, {})
        draft = page.get_by_label("Output of ask so far")
        expect(draft).to_contain_text("Tea is")
        expect(page.get_by_role("status").get_by_text("A step is writing its answer.")).to_have_count(1)
        expect(draft).to_contain_text("Tea is dear")
        assert grave_violations(page) == []
        may_go_on.release(1_000)
        expect(page.locator(".step[data-state=SUCCEEDED]")).to_contain_text("Tea is dear, and milk is not.")
        expect(draft).to_have_count(0)


def write_model_workflow(page: Page, model: LanguageModel) -> None:
    ask = {"id": "ask", "type": "LLM", "config": {**model.config, "prompt": "How much?"}}
    page.goto("/workflows/new")
    page.get_by_label("Definition (JSON)").fill(json.dumps({"name": "Ask", "actions": [ask]}))
    page.get_by_role("button", name="Create workflow").click()


def test_what_an_agent_says_grows_in_its_rounds(windows: Windows, register: Register) -> None:
    may_go_on = threading.Semaphore(0)
    model = LanguageModel(lambda _: answers("It was shipped on Monday."))
    model.pause = lambda: may_go_on.acquire(timeout=0.5)
    page = windows.open()
    register(page)
    with serving(model):
        ask = {"id": "ask", "type": "LLM", "config": {**model.config, "prompt": "Where is it?"}}
        create(page, {"name": "Agent", "trigger": {"type": "manual"}, "actions": [{"type": "AGENT", "actions": [ask]}]})
        run(page, {})
        draft = page.get_by_label("Output of ask so far")
        expect(draft).to_contain_text("It was")
        may_go_on.release(1_000)
        expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
        expect(draft).to_be_hidden()


def test_where_the_stream_is_blocked_the_page_asks_instead(windows: Windows, register: Register, gate: Gate) -> None:
    page = windows.open()
    page.route(re.compile(r"/live$"), lambda route: route.abort())
    register(page)
    write_workflow(page, gate)
    run(page, {"body": {"name": "Ada"}})
    page.evaluate("window.sameDocument = true")
    expect(page.locator(".step[data-state=RUNNING]")).to_be_visible()
    gate.open()
    expect(page.locator(".step[data-state=SUCCEEDED]")).to_have_count(2)
    assert page.evaluate("window.sameDocument") is True, "the page was loaded again"
    windows.forgive("/live")


def test_a_loop_of_a_thousand_items_and_its_log_stay_readable(windows: Windows, register: Register) -> None:
    page = windows.open()
    register(page)
    note = {"id": "note", "type": "TRANSFORM", "config": {"output": {"n": "{{ item }}"}}}
    loop = {"type": "FOR_EACH", "config": {"items": list(range(ITEMS)), "concurrency": 100}, "actions": [note]}
    create(page, {"name": "Many", "trigger": {"type": "manual"}, "actions": [loop]})
    run(page, {})
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible(timeout=60_000)
    execution = page.url.partition("?")[0]
    expect(page.get_by_role("link", name="1,000 items")).to_be_visible()
    for path in (execution, f"{execution}/items?step=0"):
        page.goto(path)
        assert page.evaluate("document.querySelectorAll('*').length") < MOST_ELEMENTS
        assert grave_violations(page) == []
    expect(page.get_by_role("link", name=re.compile("More|Next|→")).first).to_be_visible()
    page.goto(execution)
    expect(page.get_by_role("link", name="More lines →")).to_be_visible()  # two lines for each item, in pages
    page.get_by_label("Text in the log").fill('"n":777}')
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#log .log li")).to_have_count(1)
    expect(page.locator("#log .log")).to_contain_text("note, item 778")


def create(page: Page, definition: dict[str, object]) -> None:
    page.goto("/workflows/new")
    page.get_by_label("Definition (JSON)").fill(json.dumps(definition))
    page.get_by_role("button", name="Create workflow").click()


def run(page: Page, payload: dict[str, object]) -> None:
    page.get_by_label("Payload (a JSON object)").fill(json.dumps(payload))
    page.get_by_role("button", name="Run", exact=True).click()
