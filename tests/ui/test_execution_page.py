"""The page of an execution: its flow with every step's state, the items of its loops, and what can be done with it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import partial
from html import unescape
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.ui.conftest import Browser
from tests.ui.test_pages import created
from tests.waiting import eventually


def transform(identifier: str, **output: object) -> dict[str, Any]:
    return {"id": identifier, "type": "TRANSFORM", "config": {"output": output}}


ORDERS = {
    "name": "Orders",
    "actions": [
        transform("totals", count="{{ trigger.orders | length }}"),
        {
            "id": "many",
            "type": "BRANCH",
            "branches": [
                {"name": "many", "when": "{{ steps.totals.count > 2 }}", "actions": [transform("yes", text="many")]}
            ],
            "else": [transform("no", text="few")],
        },
        {
            "id": "each",
            "name": "Each order",
            "type": "FOR_EACH",
            "config": {"items": "{{ trigger.orders }}", "concurrency": 10, "onItemError": "continue"},
            "actions": [transform("share", share="{{ 100 / item }}")],
        },
        {
            "id": "both",
            "type": "PARALLEL",
            "branches": [
                {"name": "left", "actions": [transform("l", n="{{ steps.totals.count }}")]},
                {
                    "name": "right",
                    "actions": [
                        {**transform("r", n="{{ 1 / 0 }}"), "onError": [transform("sorry", why="{{ error.message }}")]}
                    ],
                },
            ],
        },
    ],
}


@pytest.fixture
def run(ada: Browser, backends: Backends) -> Callable[..., str]:
    """Runs a workflow with a payload to its end; returns the path of the execution's page."""

    def run_it(definition: dict[str, Any], payload: str, ends: str = 'data-over="true"') -> str:
        path = created(ada, definition)
        started = ada.send(f"{path}/run", path, payload=payload)
        with working(backends):
            eventually(lambda: ends in ada.get(started.location).text)
        return str(started.location).partition("?")[0]

    return run_it


def states(page: str) -> dict[str, str]:
    """By title."""
    cards = re.findall(r'class="card step" data-state="(\w*)">.*?<h3>(.*?)</h3>', page, re.DOTALL)
    return {title: state for state, title in cards}


BROKEN = {
    "name": "Broken",
    "actions": [
        {
            "id": "which",
            "type": "BRANCH",
            "branches": [{"name": "always", "when": True, "actions": [transform("transform", n="{{ 1 / 0 }}")]}],
        }
    ],
}


def test_a_step_that_failed_is_one_click_from_where_it_is_changed(ada: Browser, run: Callable[..., str]) -> None:
    page = ada.get(run(BROKEN, "{}")).text
    assert "Failed in “Transform”" in page  # as the builder calls it, not by the id that was made for it
    there = re.search(r'href="([^"]+)">Open this step', page)
    assert there
    assert unescape(there[1]).endswith("step=/actions/0/branches/0/actions/0")
    assert "<h2>Transform</h2>" in ada.get(unescape(there[1])).text


def test_what_it_ran_by_is_told_and_what_came_in_is_offered_again(
    ada: Browser, backends: Backends, run: Callable[..., str]
) -> None:
    page = ada.get(run({"name": "Sum", "actions": [transform("sum", n=1)]}, '{"orders": [11]}')).text
    workflow = re.search(r'href="(/workflows/[\w-]+)"', page)
    assert workflow
    assert re.search(r"<dt>Version</dt>\s*<dd>\s*<a [^>]+>1</a>", page)
    assert "&#34;orders&#34;: [" in ada.get(workflow[1]).text
    build = f"{workflow[1]}/build"
    assert ada.send(f"{build}/name", build, name="Another", revision=0).status_code == 303
    started = ada.send(f"{build}/run", build)
    with working(backends):
        draft = r"<dt>Version</dt>\s*<dd>\s*Draft"
        eventually(lambda: re.search(draft, ada.get(started.location).text))


def test_every_step_is_drawn_in_its_block_with_its_state(ada: Browser, run: Callable[..., str]) -> None:
    page = ada.get(run(ORDERS, '{"orders": [1, 0, 4]}')).text
    assert states(page) == {
        "totals": "SUCCEEDED",
        "many": "SUCCEEDED",
        "yes": "SUCCEEDED",
        "no": "SKIPPED",
        "Each order": "SUCCEEDED",
        "share": "",
        "both": "SUCCEEDED",
        "l": "SUCCEEDED",
        "r": "HANDLED",
        "sorry": "SUCCEEDED",
    }
    assert "division by zero" in page
    assert "2 succeeded" in page
    assert "1 failed" in page


ASKING = {
    "name": "Asking",
    "actions": [
        {
            "id": "again",
            "name": "Until it is done",
            "type": "REPEAT",
            "config": {
                "until": "{{ round.number == 2 }}",
                "delay": "{{ trigger.delay }}",
                "carry": "{{ round.number }}",
            },
            "actions": [transform("ask", n="{{ round.number }}")],
        }
    ],
}


def test_the_rounds_of_a_block_that_repeats_are_listed_like_items(ada: Browser, run: Callable[..., str]) -> None:
    path = run(ASKING, '{"delay": 0}')
    page = ada.get(path).text
    assert states(page) == {"Until it is done": "SUCCEEDED", "ask": ""}
    assert "Each round" in page
    assert re.search(r">\s*2 rounds\s*</a>", page)
    rounds = ada.get(f"{path}/items?step=0").text
    assert "Until it is done: 2 rounds" in rounds
    assert rounds.count('role="cell" class="lead tight"') == 2
    assert re.findall(r'<code class="cut">(.*?)</code>', unescape(rounds)) == ['{"n":1}', '{"n":2}']
    second = ada.get(f"{path}?frame=2").text
    assert "round 2" in second
    assert "Steps of round 2" in second


def test_the_log_names_runs_as_the_block_does(ada: Browser, backends: Backends, run: Callable[..., str]) -> None:
    def log_of(path: str, word: str) -> str:
        """Its log once two lines hold the word: the execution may be over before they are written."""
        with working(backends):
            log = eventually(lambda: (text := ada.get(f"{path}/log").text).count(word) == 2 and text)
        return " ".join(str(log).split())

    log = log_of(run(ASKING, '{"delay": 0}'), "round 2")
    assert re.findall(r"<span>ask, (.*?)</span>", log).count("round 2") == 2
    assert "run 2" not in log
    log = log_of(run(ORDERS, '{"orders": [4, 5]}'), "sorry")
    assert {"share, item 1", "share, item 2", "l, left", "sorry, right"} <= {
        *re.findall(r"<span>(\w+, .*?)</span>", log)
    }


def test_a_block_that_rests_between_its_rounds_says_until_when(ada: Browser, run: Callable[..., str]) -> None:
    page = ada.get(run(ASKING, '{"delay": 3600}', ends='data-state="WAITING"')).text
    assert states(page)["Until it is done"] == "WAITING"
    assert "Waiting until" in page
    assert not re.search(r"\d attempts", page)


def test_the_items_of_a_loop_have_a_list_and_pages_of_their_own(ada: Browser, run: Callable[..., str]) -> None:
    path = run(ORDERS, '{"orders": [1, 0, 4]}')
    items = f"{path}/items?step=4"
    assert ada.get(items).text.count('role="cell" class="lead tight"') == 3
    failed = ada.get(f"{items}&state=FAILED").text
    assert failed.count('role="cell" class="lead tight"') == 1
    assert "division by zero" in failed
    [link] = set(re.findall(rf'href="({re.escape(path)}\?frame=\d+)"', failed))
    item = ada.get(link).text
    assert states(item) == {"share": "FAILED"}
    assert "item 2" in item
    assert ada.get(f"{path}?frame=999").status_code == 404
    assert ada.get(f"{path}/items?step=0").status_code == 404


def test_many_items_are_shown_in_pages(ada: Browser, run: Callable[..., str]) -> None:
    path = run(ORDERS, f'{{"orders": {[*range(1, 61)]}}}')
    first = ada.get(f"{path}/items?step=4").text
    assert first.count('role="cell" class="lead tight"') == 50
    [onward] = re.findall(r'rel="next"\s+href="([^"]+)"', first)
    assert ada.get(unescape(onward)).text.count('role="cell" class="lead tight"') == 10


def test_what_a_step_was_given_is_shown_resolved(ada: Browser, run: Callable[..., str]) -> None:
    path = run(ORDERS, '{"orders": [5, 4]}')
    assert '"count": 2' in unescape(ada.get(f"{path}/input?step=0").text)
    frames = re.findall(r"frame=(\d+)", ada.get(f"{path}/items?step=4").text)
    assert '"share": 25' in unescape(ada.get(f"{path}/input?step=5&frame={frames[1]}").text)
    assert ada.get(f"{path}/input?step=99").status_code == 404


def test_an_output_is_a_tree_a_table_json_and_a_schema(ada: Browser, run: Callable[..., str]) -> None:
    path = run(ORDERS, '{"orders": [5, 4]}')
    frames = re.findall(r"frame=(\d+)", ada.get(f"{path}/items?step=4").text)
    shown = unescape(ada.get(f"{path}/output?step=5&frame={frames[1]}").text)
    assert 'data-copy-text="steps.share.share"' in shown
    assert '<th scope="row" dir="auto">share</th>' in shown
    assert '"share": 25' in shown
    assert "integer" in shown or "number" in shown
    for nowhere in ("step=99", "step=5", f"step=0&frame={frames[1]}"):
        assert ada.get(f"{path}/output?{nowhere}").status_code == 404


def test_a_failed_execution_is_replayed_from_its_failed_step(ada: Browser, run: Callable[..., str]) -> None:
    failing = {"name": "Failing", "actions": [transform("one", n=1), transform("two", n="{{ 1 / trigger.by }}")]}
    path = run(failing, '{"by": 0}')
    assert "Replay from the failed step" in ada.get(path).text
    again = ada.send(f"{path}/replay", path, **{"from": "failed", "payload": '{"by": 2}'})
    assert again.status_code == 303
    assert again.location.partition("?")[0] != path
    assert ada.send(f"{path}/replay", path, **{"from": "start", "payload": "{"}).location == path
    assert "is not JSON" in ada.get(path).text


def test_a_wait_for_a_person_leads_to_the_page_that_answers_it(ada: Browser, run: Callable[..., str]) -> None:
    asking = {"name": "Asking", "actions": [{"type": "WAIT", "config": {"for": "approval", "message": "Ship it?"}}]}
    page = ada.get(run(asking, "{}", ends="Ship it?")).text
    assert states(page) == {"Wait": "WAITING"}
    [link] = re.findall(r'href="(/resume/[^"]+)"', page)
    assert "Ship it?" in ada.get(link).text


def _page_with(browser: Browser, path: str, **wanted: str) -> str | None:
    """The page, once its steps have these states."""
    page = browser.get(path).text
    return page if wanted.items() <= states(page).items() else None


def test_a_rejection_says_by_whom_and_where_it_went(ada: Browser, run: Callable[..., str], backends: Backends) -> None:
    ask = {"id": "ask", "type": "WAIT", "config": {"for": "approval", "message": "Ship it?"}}
    for on_reject, ended in (
        ("fail", {"ask": "FAILED"}),
        ("continue", {"ask": "REJECTED"}),
        ([transform("tell", n=1)], {"ask": "REJECTED", "tell": "SUCCEEDED"}),
    ):
        path = run({"name": "Asking", "actions": [{**ask, "onReject": on_reject}]}, "{}", ends="Ship it?")
        [link] = re.findall(r'href="(/resume/[^"]+)"', ada.get(path).text)
        assert ada.post(link, approved="false", comment="too dear").status_code == 200
        with working(backends):
            page = eventually(partial(_page_with, ada, path, **ended))
        assert "rejected by ada: too dear" in page
        assert bool(re.search(r'data-kind="rejection"\s+data-taken="yes"', page)) is isinstance(on_reject, list)


@pytest.mark.parametrize(("answer", "state"), [("true", "APPROVED"), ("false", "REJECTED")])
def test_the_log_says_what_was_decided(
    ada: Browser, run: Callable[..., str], backends: Backends, answer: str, state: str
) -> None:
    ask = {"id": "ok", "type": "WAIT", "config": {"for": "approval", "message": "Ship it?"}}
    path = run({"name": "Asking", "actions": [ask]}, "{}", ends="Ship it?")
    [link] = re.findall(r'href="(/resume/[^"]+)"', ada.get(path).text)
    ada.post(link, approved=answer)
    with working(backends):
        line = eventually(partial(_log_line, ada, path, state))
    assert f"{state.lower()} by ada" in line


def _log_line(browser: Browser, path: str, state: str) -> str | None:
    """The head of the log's line whose badge shows that state."""
    lines = re.findall(r"<summary>\s*<time.*?</summary>", browser.get(path).text, re.DOTALL)
    return next((line for line in lines if f'data-state="{state}"' in line), None)


def test_other_peoples_executions_are_not_there(
    ada: Browser, run: Callable[..., str], signed_up: Callable[[str], Browser]
) -> None:
    path = run(ORDERS, '{"orders": [1]}')
    eve = signed_up("eve")
    for address in (path, f"{path}/items?step=4", f"{path}/input?step=0", f"{path}/progress"):
        assert eve.get(address).status_code == 404
    assert eve.send(f"{path}/replay", "/workflows", **{"from": "start"}).status_code == 404


def test_a_step_whose_connection_has_to_wait_says_until_when(
    ada: Browser, backends: Backends, httpserver: HTTPServer, run: Callable[..., str]
) -> None:
    fields = {"type": "bearer", "name": "shop", "config.token": "hush-hush", "config.requestsPerSecond": "0.01"}
    ada.send("/connections/new", "/connections/new?type=bearer", **fields)
    httpserver.expect_request("/").respond_with_data("ok")
    config = {"url": httpserver.url_for("/"), "connection": "shop"}
    calls = [{"type": "HTTP_REQUEST", "config": config} for _ in range(2)]
    run({"name": "Calls", "actions": calls}, "{}", ends="Rate limit of its connection: starts")
    assert len(httpserver.log) == 1


def listing(httpserver: HTTPServer, **paging: Any) -> dict[str, Any]:
    """A workflow that reads a list page by page."""
    config = {"url": httpserver.url_for("/list"), "paging": {"by": "page", **paging}}
    return {"name": "List", "actions": [{"type": "HTTP_REQUEST", "config": config}]}


def test_a_list_that_was_read_page_by_page_tells_how_much_of_it(
    ada: Browser, run: Callable[..., str], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/list", query_string="page=1").respond_with_json([1, 2])
    httpserver.expect_request("/list", query_string="page=2").respond_with_json([3])
    page = run(listing(httpserver, maxPages=2), "{}")
    assert "3 items, 2 pages, more available" in " ".join(ada.get(page).text.split())


def test_the_pages_that_are_read_are_told_while_the_step_runs(
    ada: Browser, backends: Backends, httpserver: HTTPServer
) -> None:
    seen = threading.Event()

    def answer(request: Request) -> Response:
        is_third = request.args["page"] == "3"
        if is_third:
            assert seen.wait(60)
        return Response("[]" if is_third else f"[{request.args['page']}]", mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)
    path = created(ada, listing(httpserver))
    started = ada.send(f"{path}/run", path, payload="{}")
    with working(backends):
        eventually(lambda: "2 pages so far" in ada.get(started.location).text)
        seen.set()
        eventually(lambda: "2 items, 3 pages" in " ".join(ada.get(started.location).text.split()))
