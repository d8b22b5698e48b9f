"""What is wrong with a draft is said by the labels of fields and the names of steps, and not before it can be known."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

PART = {"X-Part": "yes", "Accept": "text/html"}


@pytest.fixture
def empty(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, {"name": "Empty", "actions": []}))


def add(builder: Builder, type_: str) -> str:
    """The page that shows the added step."""
    answer = builder.edit("add", type=type_, into="/actions", position="0")
    return unescape(builder.browser.get(answer.location).text)


def notes_in(page: str) -> list[str]:
    found = re.findall(r'<p class="wrong"[^>]*data-note[^>]*>([^<]+)</p>', page)
    return [note.strip() for note in found if note.strip()]


def test_a_step_that_has_just_been_added_is_incomplete_not_wrong(empty: Builder) -> None:
    page = add(empty, "HTTP_REQUEST")
    assert notes_in(page) == []
    assert "Incomplete" in page
    assert "to solve" not in page


def test_a_wait_that_has_just_been_added_is_incomplete_too(empty: Builder) -> None:
    page = add(empty, "WAIT")
    assert "Incomplete" in page
    assert "1 problem" not in page
    assert "Duration is required" in empty.page("/actions/0")


def test_once_it_is_opened_again_each_field_says_what_it_needs(empty: Builder) -> None:
    add(empty, "HTTP_REQUEST")
    assert "URL is required" in notes_in(empty.page("/actions/0"))
    add(empty, "SLACK_MESSAGE")
    assert "Webhook URL is required (or Bot token)" in empty.page("/actions/0")


def test_saving_it_without_script_says_so_too(empty: Builder) -> None:
    add(empty, "HTTP_REQUEST")
    answer = empty.edit("", to="step", at="/actions/0", step="/actions/0")
    assert "URL is required" in notes_in(unescape(empty.browser.get(answer.location).text))


def test_while_it_is_fresh_the_script_gets_all_notes_and_chooses(empty: Builder) -> None:
    add(empty, "HTTP_REQUEST")
    fields = {"at": "/actions/0", "step": "/actions/0", "fresh": "1", "revision": str(empty.revision)}
    token = empty.browser.token(empty.path)
    answer = empty.browser.client.post(f"{empty.path}/step", data={"csrf_token": token, **fields}, headers=PART)
    assert '<p data-for="config/url">URL is required</p>' in answer.text


@pytest.mark.parametrize("press", ["run", "publish"])
def test_testing_and_publishing_name_the_step_and_the_field(empty: Builder, press: str) -> None:
    add(empty, "HTTP_REQUEST")
    answer = empty.edit("", to=press)
    assert "step=/actions/0" in answer.location
    page = unescape(empty.browser.get(answer.location).text)
    assert "HTTP request: URL is required." in page
    assert "/actions/0/config" not in page
    assert "URL is required" in notes_in(page)


def test_what_is_wrong_is_a_problem_and_named_alike(ada: Browser, app: Flask) -> None:
    flow = {"name": "w", "actions": [{"type": "HTTP_REQUEST", "name": "Ask", "config": {"url": "https://x.example"}}]}
    builder = Builder(ada, app, created(ada, flow))
    builder.edit(
        "", to="step", at="/actions/0", **{"config.url": "https://x.example", "timeout": "soon", "name": "Ask"}
    )
    page = unescape(builder.page())
    assert "1 problem" in page
    assert re.search(r"Ask</a>: Time limit must be a number", page)
