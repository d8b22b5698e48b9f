"""What of the flow an answer to the builder's script holds: only what the page does not show yet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

MANY = {
    "name": "Long",
    "trigger": {"type": "manual"},
    "actions": [{"id": f"s{n}", "type": "WAIT", "config": {"seconds": n + 1}} for n in range(40)],
}
BOX = re.compile(r'<div class="box[^"]*" data-version="(\w+)"[^>]*>(</div>)?')


@pytest.fixture
def long(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, MANY))


def drawing(text: str) -> str:
    found = re.search(r'data-drawing="(\w+)"', text)
    return found[1] if found else ""


def versions(text: str) -> list[str]:
    return [version for version, _ in BOX.findall(text)]


def drawn(text: str) -> int:
    """The number of cards that come with their content."""
    return sum(not end for _, end in BOX.findall(text))


def edited(builder: Builder, page: str, to: str = "edit", **fields: Any) -> str:
    """The answer to the script of that page."""
    known = {"csrf_token": builder.browser.token(builder.path), "revision": str(builder.revision)}
    sent = known | {"known": " ".join(versions(page))} | fields
    answer = builder.browser.client.post(f"{builder.path}/{to}", data=sent, headers={"X-Part": drawing(page)})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_only_cards_that_changed_are_sent(long: Builder) -> None:
    page = long.page()
    added = edited(long, page, op="add", type="TRANSFORM", into="/actions", position="3")
    assert drawn(added) == 1
    assert len(versions(added)) == 41
    switched = edited(long, added, op="switch", at="/actions/9")
    assert drawn(switched) == 1
    for op in ("up", "delete"):
        assert drawn(edited(long, switched, op=op, at="/actions/20")) == 0


def test_an_answer_grows_by_little_with_each_step_that_stays(long: Builder) -> None:
    page = long.page()
    answer = edited(long, page, to="step", at="/actions/7", name="Renamed", **{"config.seconds": "8"})
    assert drawn(answer) == 1
    assert len(answer[answer.index("data-drawing") :].split("data-part")[0]) < 40 * 250 + 2_000


def test_a_flow_that_stays_as_it_is_is_not_sent(long: Builder) -> None:
    page = long.page("/actions/1")
    opened = long.browser.client.get(f"{long.path}?step=/actions/2", headers={"X-Part": drawing(page)}).text
    assert re.findall(r'data-part="(\w+)"', opened) == ["bar", "panel"]
    noted = edited(long, page, to="step", at="/actions/1", **{"config.seconds": "2", "when": "{{ trigger.x }}"})
    assert 'data-part="flow"' not in noted


def test_a_card_has_the_same_version_wherever_it_stands(long: Builder) -> None:
    before = versions(long.page())
    long.edit("move", at="/actions/0", into="/actions", position="40")
    assert versions(long.page()) == [*before[1:], before[0]]


def test_steps_without_an_id_are_not_drawn_anew_when_their_index_changes(ada: Browser, app: Flask) -> None:
    actions = [{"type": "WAIT", "config": {"seconds": n + 1}} for n in range(40)]
    builder = Builder(ada, app, created(ada, {**MANY, "actions": actions}))
    assert drawn(edited(builder, builder.page(), op="delete", at="/actions/3")) == 0


def test_a_block_is_drawn_anew_when_there_is_more_in_it(ada: Browser, app: Flask) -> None:
    loop = {"id": "loop", "type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": []}
    flow = {**MANY, "actions": [{**loop, "actions": [MANY["actions"][0]]}]}
    builder = Builder(ada, app, created(ada, flow))
    answer = edited(builder, builder.page(), op="duplicate", at="/actions/0/actions/0")
    assert drawn(answer) == 2, "the copy, and the block, which counts its steps"
