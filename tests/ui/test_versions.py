"""The history of a workflow, as its page tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flowforge.jsonio import JsonObject
from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import GREETING, created


def changed(browser: Browser, path: str, **parts: Any) -> None:
    """Publishes another version."""
    text = json.dumps({**GREETING, **parts})
    assert browser.send(f"{path}/edit", f"{path}/edit", definition=text).status_code == 303


def test_one_version_has_nothing_to_be_compared_with(ada: Browser) -> None:
    page = ada.get(f"{created(ada)}/versions").text
    assert "Version 1" in page
    assert "Nothing to compare yet" in page
    assert "Restore" not in page


def test_what_the_last_version_changed_is_shown_word_by_word(ada: Browser) -> None:
    path = created(ada)
    hello, tell = GREETING["actions"]
    greeting = {**hello, "config": {"output": {"text": "Good morning {{ trigger.name }}"}}}
    changed(ada, path, name="Greeting, politely", actions=[greeting, tell])
    page = ada.get(f"{path}/versions").text
    assert "Changes: version 1 → version 2" in page
    assert "<del>Hello</del><ins>Good morning</ins> {{ trigger.name }}" in page
    assert "Greeting<ins>, politely</ins>" in page
    assert "hooks.example.test" not in page, "secrets stay masked"


def test_steps_that_came_and_went_are_shown_with_what_they_said(ada: Browser) -> None:
    path = created(ada)
    wait = {"id": "rest", "type": "WAIT", "config": {"seconds": 30}}
    changed(ada, path, actions=[wait, GREETING["actions"][1]])
    page = ada.get(f"{path}/versions?from=1&to=2").text
    kinds = re.findall(r'class="card difference" data-kind="(\w+)"', page)
    assert sorted(kinds) == ["added", "removed"]
    assert "<ins>30</ins>" in page


def test_an_old_version_is_taken_up_again_as_a_new_one(ada: Browser) -> None:
    path = created(ada)
    changed(ada, path, name="Something else")
    page = ada.get(f"{path}/versions").text
    [restore] = re.findall(r'action="([^"]+/restore)"', page)
    assert ada.send(restore, f"{path}/versions").status_code == 303
    page = ada.get(f"{path}/versions").text
    assert "restored from version 1" in page
    assert "Version 3" in page
    assert "restored and published" in page


def test_a_draft_is_compared_with_what_is_published(ada: Browser) -> None:
    path = created(ada)
    token = re.search(r'name="csrf_token" value="([^"]+)"', ada.get(path).text)
    assert token
    ada.post(f"{path}/build/name", csrf_token=token[1], name="Other", revision="0")
    page = ada.get(f"{path}/versions").text
    assert "Changes: published version → draft" in page
    assert "<ins>Other</ins>" in page


def test_versions_that_are_not_there_are_not_found(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    path = created(ada)
    assert ada.get(f"{path}/versions?from=1&to=9").status_code == 404
    assert ada.get(f"{path}/versions?from=x&to=1").status_code == 400
    assert ada.get(f"{path}/versions?page=-5").status_code == 200
    assert signed_up("eve").get(f"{path}/versions").status_code == 404


@pytest.mark.parametrize("wrong", [{"config": "text"}, {"id": ["a", "list"]}, {"name": 5, "config": [1]}])
def test_steps_of_a_draft_are_compared_whatever_their_shape(ada: Browser, app: Flask, wrong: JsonObject) -> None:
    builder = Builder(ada, app, created(ada))
    builder.edit("paste", into="/actions", position="0", text=json.dumps([{"type": "TRANSFORM", **wrong}]))
    page = ada.get(f"{builder.path.removesuffix('/build')}/versions")
    assert page.status_code == 200
    assert 'data-kind="added"' in page.text
