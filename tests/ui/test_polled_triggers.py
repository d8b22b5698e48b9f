"""Triggers that look for what is new, in the browser: their form, and trying them out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.services.changing_list import ChangingList
from tests.services.serving import serving
from tests.ui.conftest import Browser
from tests.ui.test_pages import created


@pytest.fixture
def api() -> Iterator[ChangingList]:
    server = ChangingList()
    with serving(server):
        yield server


@pytest.fixture
def path(ada: Browser, api: ChangingList) -> str:
    """A workflow that looks into a list."""
    config = {"url": api.url, "items": "body.data", "itemId": "id"}
    return created(ada, {"name": "Orders", "trigger": {"type": "http_request", "config": config}, "actions": []})


def test_the_builder_draws_the_fields_of_the_action_and_those_of_its_polls(ada: Browser, path: str) -> None:
    page = ada.get(f"{path}/build").text
    drawn = set(re.findall(r'name="config\.(\w+)', page))
    assert {"connection", "url", "headers", "items", "itemId", "watch", "formKind", "everyAmount", "startWith"} <= drawn
    assert "Detecting new items" in page


def test_the_chosen_kind_is_shown_and_others_like_it_are_folded_away(ada: Browser, path: str) -> None:
    page = ada.get(f"{path}/build").text
    at_once, folded = page.split("When something new appears", 1)
    assert 'value="http_request" checked' in at_once
    assert 'value="webhook"' in at_once
    assert 'value="read_feed"' in folded
    assert 'value="http_request"' not in folded


def test_trying_it_out_shows_what_is_there_and_offers_it_as_the_sample(
    ada: Browser, path: str, api: ChangingList
) -> None:
    api.shows({"id": 1, "name": "<b>tea</b>"}, {"id": 2, "name": "coffee"})
    page = ada.send(f"{path}/build/trigger/test", f"{path}/build").text
    assert "2 items in the list" in page
    assert "&lt;b&gt;tea&lt;/b&gt;" in page
    [sample] = re.findall(r'name="sample"\s+value="([^"]*)"', page)
    ada.send(f"{path}/build/sample", f"{path}/build", step="trigger", sample=sample.replace("&#34;", '"'))
    assert "coffee" in ada.get(f"{path}/build").text


def test_what_cannot_be_asked_is_told(ada: Browser, path: str, api: ChangingList) -> None:
    api.answers({"data": 7})
    assert "there is no list at body.data" in ada.send(f"{path}/build/trigger/test", f"{path}/build").text


def test_the_page_of_the_workflow_sums_it_up(ada: Browser, path: str, api: ChangingList) -> None:
    page = ada.get(path).text
    assert "New in an API" in page
    assert f"{api.url} · Every 5 minutes" in page
