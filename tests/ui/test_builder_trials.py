"""Trying out in the builder: a step, an expression, with what is known."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

FLOW: dict[str, Any] = {
    "name": "Trying",
    "actions": [
        {"id": "one", "type": "TRANSFORM", "config": {"output": {"n": 41}}},
        {"type": "TRANSFORM", "config": {"output": {"n": "{{ steps.one.n + 1 }}"}}},
        {"id": "call", "type": "HTTP_REQUEST", "config": {"url": "http://127.0.0.1:1/"}},
        {"id": "last", "type": "TRANSFORM", "config": {"output": {"got": "{{ steps.call.status }}"}}},
    ],
}


@pytest.fixture
def builder(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, FLOW))


def send(builder: Builder, what: str, **fields: str) -> str:
    answer = builder.browser.send(f"{builder.path}/{what}", builder.path, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_step_without_an_id_is_tried_and_not_kept(builder: Builder) -> None:
    told = send(builder, "test", at="/actions/1")
    assert "42" in told
    assert "can be picked" not in told


def test_what_a_step_gave_can_be_picked_from(builder: Builder) -> None:
    assert "can be picked" in send(builder, "test", at="/actions/0")
    assert "41" in send(builder, "preview", at="/actions/1", text="{{ steps.one.n }}")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Hi {{ trigger.emial }}", "Hi {{ trigger.<emial> }}"),
        ("{{ 1 }} {{ 'uper' | uper }}", "{{ 1 }} {{ 'uper' | <uper> }}"),
        ("{{ trigger['e-mial'] }}", "{{ trigger['<e-mial>'] }}"),
        ("{{ 1 + }}", "{{< 1 + >}}"),
        ("line\r\n{{ nobody }}", "line\n{{ <nobody> }}"),
        ("{{ trigger", "{{ trigger"),
    ],
)
def test_a_preview_tells_where_a_text_is_wrong(builder: Builder, text: str, marked: str) -> None:
    shown = send(builder, "preview", at="/actions/1", text=text)
    assert 'class="wrong"' in shown
    span, told = re.search(r'data-from="(\d+)" data-to="(\d+)"', shown), text.replace("\r\n", "\n")
    start, end = (int(span[1]), int(span[2])) if span else (0, 0)
    assert marked == (f"{told[:start]}<{told[start:end]}>{told[end:]}" if span else told)


def test_what_a_test_gave_can_be_forgotten(builder: Builder) -> None:
    send(builder, "test", at="/actions/0")
    path = f"{builder.path}?step=/actions/0"
    assert "is kept" in builder.browser.get(path).text
    for _ in range(2):  # the second time from a tab that is behind
        answer = builder.browser.send(f"{builder.path}/unpin", path, pinned="one", step="/actions/0")
        assert answer.status_code == 303
    assert "is kept" not in builder.browser.get(path).text


def test_what_nobody_knows_is_said(builder: Builder) -> None:
    assert "is not known yet" in send(builder, "test", at="/actions/3")
    assert "is not known yet" in send(builder, "preview", at="/actions/3", text="{{ steps.call.status }}")


SHAPE = {"id": "shape", "type": "TRANSFORM", "config": {"output": {}}}


def test_the_condition_of_a_repeat_is_told_as_one(ada: Browser, app: Flask) -> None:
    asking = {
        "id": "ask",
        "type": "TRANSFORM",
        "config": {"output": {"n": "{{ round.number }}"}},
    }
    config = {"until": "{{ steps.ask.n >= 3 }}", "carry": "{{ steps.ask.n }}", "start": "{{ 1 + 1 }}"}
    repeat = {"id": "again", "type": "REPEAT", "config": config, "actions": [asking]}
    builder = Builder(ada, app, created(ada, {"name": "Asking", "actions": [repeat]}))
    told = unescape(send(builder, "test", at="/actions/0"))
    assert '"until": "steps.ask.n is at least 3"' in told
    assert '"start": 2' in told
    assert "{{" not in told
    assert "steps.ask.n is at least 3" in ada.get(builder.path).text  # on its card


def test_the_picker_offers_an_example_until_something_has_come_in(ada: Browser, app: Flask) -> None:
    fields = [{"label": "Guests", "type": "number"}]
    dinner = {"name": "Dinner", "trigger": {"type": "form", "config": {"fields": fields}}, "actions": [SHAPE]}
    builder = Builder(ada, app, created(ada, dinner))
    page = ada.get(f"{builder.path}?step=/actions/0").text
    assert 'data-pick="trigger.fields.guests"' in page
    assert "Trigger (example)" in page


def test_a_step_that_is_gone_is_told(builder: Builder) -> None:
    for nowhere in ("/actions/9", "/settings", ""):
        assert 'class="wrong"' in send(builder, "test", at=nowhere)


def test_a_mailbox_is_tried_before_it_is_published(ada: Browser, app: Flask) -> None:
    config = {"username": "jane", "password": "secret", "host": "127.0.0.1", "port": 1, "secure": False}
    mail = {"name": "Mail", "trigger": {"type": "email", "config": config}, "actions": []}
    builder = Builder(ada, app, created(ada, mail))
    assert "Test connection" in ada.get(f"{builder.path}?step=trigger").text
    told = send(builder, "trigger/test")
    assert "could not be opened" in told
    assert "secret" not in told


def test_a_schedule_tells_its_next_times_while_it_is_written(ada: Browser, app: Flask) -> None:
    schedule = {"name": "Nightly", "trigger": {"type": "scheduler", "config": {"cron": "30 2 * * *"}}, "actions": []}
    builder = Builder(ada, app, created(ada, schedule))
    assert builder.browser.get(f"{builder.path}?step=trigger").text.count("02:30</time>") == 5
    token = builder.browser.token(builder.path)
    sent = {
        "csrf_token": token,
        "revision": "0",
        "type": "scheduler",
        "drawn": "scheduler",
        "config.formKind": "daily",
        "config.atTime": "04:45",
    }
    told = ada.client.post(f"{builder.path}/trigger", data=sent, headers={"X-Part": "yes"}).text
    times = told.partition('data-part="trigger"')[2].partition("</div>")[0]
    assert times.count("04:45</time>") == 5


def test_the_secret_of_a_webhook_is_kept_and_never_shown(ada: Browser, app: Flask) -> None:
    hook = {"name": "Signed", "trigger": {"type": "webhook", "config": {"secret": "open sesame 1"}}, "actions": []}
    builder = Builder(ada, app, created(ada, hook))
    page = ada.get(f"{builder.path}?step=trigger").text
    assert 'name="config.secret"' in page
    assert "open sesame" not in page
    sent = {"type": "webhook", "drawn": "webhook", "config.secret": "********", "config.respond": "when finished"}
    assert ada.send(f"{builder.path}/trigger", builder.path, revision="0", **sent).status_code == 303
    assert ada.send(f"{builder.path}/publish", builder.path, revision="1").status_code == 303
    url = re.search(r"/webhook/[0-9a-f-]{36}", ada.get(builder.path.removesuffix("/build")).text)
    assert url
    assert ada.client.post(url[0], json={}).status_code == 401


class TestValuesAskedFor:
    """The values of a field, as the service of the step offers them."""

    @pytest.fixture
    def models(self, httpserver: HTTPServer) -> HTTPServer:
        body = {"data": [{"id": "small"}, {"id": "<large>"}]}
        httpserver.expect_request("/v1/models", headers={"Authorization": "Bearer k-1"}).respond_with_json(body)
        return httpserver

    def asking(self, ada: Browser, app: Flask, endpoint: str, **config: str) -> Builder:
        whole = {"model": "old", "prompt": "{{ trigger.unknown.text }}", "endpoint": endpoint, **config}
        definition = {"name": "Asking", "actions": [{"id": "ask", "type": "LLM", "config": whole}]}
        return Builder(ada, app, created(ada, definition))

    def test_they_can_be_asked_for_before_the_step_can_run(self, ada: Browser, app: Flask, models: HTTPServer) -> None:
        path = "/connections/new?type=bearer"
        assert (
            ada.send("/connections/new", path, name="ai", type="bearer", **{"config.token": "k-1"}).status_code == 303
        )
        builder = self.asking(ada, app, models.url_for("/v1"), connection="ai")
        told = send(builder, "values", at="/actions/0", field="model")
        assert re.findall(r'<option value="(.*?)">', told) == ["&lt;large&gt;", "small"]
        assert 'data-asked="model"' in ada.get(f"{builder.path}?step=/actions/0").text

    def test_what_goes_wrong_is_said(self, ada: Browser, app: Flask, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/v1/models").respond_with_json({"error": {"message": "No key"}}, status=401)
        builder = self.asking(ada, app, httpserver.url_for("/v1"))
        assert "answered 401: No key" in send(builder, "values", at="/actions/0", field="model")
        assert "nobody to be asked" in send(builder, "values", at="/actions/0", field="prompt")
        assert "no such step" in send(builder, "values", at="/actions/7", field="model")
