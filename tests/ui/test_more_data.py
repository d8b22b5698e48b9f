"""The data that a step can refer to: their types, and the entries of long lists."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

LONG = {"odd name": list(range(100)), "on": True}


@pytest.fixture
def builder(ada: Browser, app: Flask) -> Builder:
    shape = {"id": "shape", "type": "TRANSFORM", "config": {"output": LONG}}
    last = {"id": "last", "type": "TRANSFORM", "config": {"output": {}}}
    return Builder(ada, app, created(ada, {"name": "Long", "actions": [shape, last]}))


def picked(page: str) -> list[str]:
    return re.findall(r'data-pick="([^"]+)"', page)


def following(page: str) -> list[tuple[str, str]]:
    """The lists that go on, and the number of the entry that comes next."""
    return re.findall(r'data-more="([^"]+)"\s+data-start="(\d+)"', page)


def more(builder: Builder, path: str, start: int = 40) -> str:
    answer = builder.browser.get(f"{builder.path}/data/more?at=/actions/1&path={quote(path)}&start={start}")
    assert answer.status_code == 200
    return str(answer.text)


def test_values_are_told_with_their_types(builder: Builder) -> None:
    panel = builder.page("/actions/1")
    assert re.search(r'data-pick="steps.shape.on".*?<span class="type">yes/no</span>', panel, re.DOTALL)
    assert re.search(r"odd name.*?100 entries", panel, re.DOTALL)


def test_long_lists_are_drawn_in_parts(builder: Builder) -> None:
    panel = builder.page("/actions/1")
    path = "steps.shape[&#34;odd name&#34;]"
    assert f"{path}[39]" in picked(panel)
    assert f"{path}[40]" not in picked(panel)
    assert following(panel) == [(path, "40")]
    part = more(builder, 'steps.shape["odd name"]')
    assert picked(part) == [f"{path}[{n}]" for n in range(40, 80)]
    assert following(part) == [(path, "80")]
    assert len(picked(more(builder, 'steps.shape["odd name"]', 80))) == 20


@pytest.mark.parametrize("path", ["steps.gone", "", "}} {{", "1 +", "steps.shape.on"])
def test_what_is_there_no_more_has_no_entries(builder: Builder, path: str) -> None:
    assert picked(more(builder, path)) == []


def test_nobody_else_sees_it(builder: Builder, signed_up: object) -> None:
    assert callable(signed_up)
    eve: Browser = signed_up("eve")
    assert eve.get(f"{builder.path}/data/more?at=/actions/1&path=steps.shape").status_code == 404
