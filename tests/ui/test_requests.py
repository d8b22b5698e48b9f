"""Trying out a webhook in the builder: a draft is called the whole way, from the page or from elsewhere while somebody
listens, before anything is published."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask

from flowforge.db.tables import ExecutionRow, Workflow
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends
from flowforge.workflows.changes import DraftChange
from tests.engine.pipeline import working
from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.waiting import eventually
from webapp.context import session
from webapp.services import drafts

DOUBLE = {"id": "double", "type": "TRANSFORM", "config": {"output": {"twice": "{{ trigger.body.total * 2 }}"}}}
PART = {"X-Part": "yes", "Accept": "text/html"}


class Trial(Builder):
    """Somebody at the builder of a new workflow."""

    def __init__(self, browser: Browser, app: Flask) -> None:
        made = browser.send("/workflows/build", "/workflows/new")
        super().__init__(browser, app, urlsplit(made.location).path.removesuffix("/build"))

    def save(self, **parts: Any) -> None:
        definition = {"name": "Orders", "trigger": {"type": "webhook"}, "actions": [DOUBLE], **parts}
        with self.app.test_request_context():
            found = session().get_one(Workflow, UUID(self.path.split("/")[2]))
            drafts().save(session(), found.user_id, found.id, DraftChange(definition, self.revision))

    def call(self, **fields: Any) -> str:
        """The part of the page that says what became of a test request."""
        token = self.browser.token(self.path)
        answer = self.browser.client.post(f"{self.path}/call", data={"csrf_token": token, **fields}, headers=PART)
        assert answer.status_code == 200, answer.text
        return answer.text

    def listen(self) -> str:
        """The path of the test URL."""
        found = re.search(r"/webhook-test/[\w-]+", self.browser.get(f"{self.path}/heard").text)
        assert found
        return found[0]

    def run(self, answered: str) -> JsonObject:
        """The execution that a test led to, when it is over."""
        execution_id = re.search(r'data-run="([^"]+)"', answered)
        assert execution_id, answered
        return eventually(lambda: self._over(execution_id[1]))

    def _over(self, execution_id: str) -> JsonObject | None:
        with self.app.test_request_context():
            row = session().get(ExecutionRow, execution_id)
            if row is None or row.status not in ("COMPLETED", "FAILED"):
                return None
            outputs = row.step_outputs or {}
            return {"status": row.status, "payload": row.trigger_payload, "type": row.trigger_type, "outputs": outputs}


@pytest.fixture
def trial(ada: Browser, app: Flask) -> Trial:
    return Trial(ada, app)


def add(trial: Trial, type_: str) -> None:
    assert trial.edit("add", type=type_, into="/actions", position="0").status_code == 303


def test_a_new_webhook_offers_an_example_as_the_body_of_a_request(trial: Trial) -> None:
    page = trial.page("trigger")
    assert "Request body (JSON)" in page
    assert re.search(r'id="request-body"[^>]*>\s*\{\s*&#34;name&#34;: &#34;Ada&#34;', page)


def test_a_request_from_the_page_runs_the_draft_the_whole_way(trial: Trial, backends: Backends) -> None:
    trial.save()
    with working(backends):
        run = trial.run(trial.call(body='{"total": 21}', method="POST", headers="X-Shop: one", query="page=2"))
    assert (run["status"], run["type"]) == ("COMPLETED", "webhook")
    assert run["outputs"] == {"step_0": {"twice": 42}}
    assert run["payload"]["body"] == {"total": 21}
    assert run["payload"]["queryParams"] == {"page": "2"}
    assert run["payload"]["headers"]["x-shop"] == "one"
    assert "&#34;total&#34;: 21" in trial.page("trigger"), "it is what the next test is offered with"


def test_a_pasted_curl_command_is_filled_in_and_sent(trial: Trial, backends: Backends) -> None:
    line = """curl -X PUT 'https://flow.example/webhook/x?a=1' -H 'X-Shop: "two"' --data-raw $'{"total": 3}'"""
    token = trial.browser.token(trial.path)
    filled = trial.browser.client.post(f"{trial.path}/curl", data={"csrf_token": token, "body": line}, headers=PART)
    fields = unescape(filled.text)
    assert '{"total": 3}</textarea>' in fields
    assert "<option selected>PUT" in fields
    assert 'X-Shop: "two"' in fields
    assert 'value="a=1"' in fields
    with working(backends):
        run = trial.run(trial.call(body=line.replace("PUT", "POST")))
    assert run["payload"]["body"] == {"total": 3}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"body": "{"}, "Request body (JSON) is not valid JSON"),
        ({"body": "curl -F a=@b.png https://x.example"}, "Request body (JSON) is a curl command that cannot be used"),
        ({"body": "{}", "headers": "nothing"}, "Headers must be lines such as"),
        ({"body": "{}", "headers": "a b: c"}, "Headers hold one that cannot be sent"),
        ({"body": "{}", "method": "DELETE"}, "The answer was 405"),
    ],
)
def test_what_cannot_be_sent_is_said_by_the_label_of_its_field(trial: Trial, fields: Any, said: str) -> None:
    assert said in unescape(trial.call(**fields))


def test_a_call_of_others_is_taken_only_while_somebody_listens(
    trial: Trial, backends: Backends, signed_up: Any
) -> None:
    stranger = signed_up("bob")
    assert stranger.get(f"{trial.path}/heard").status_code == 404
    test_url = trial.listen()
    with working(backends):
        answer = trial.browser.client.post(test_url, json={"name": "Grace"})
        assert answer.status_code == 200
        heard = eventually(
            lambda: "Grace" in (text := trial.browser.get(f"{trial.path}/heard?since=none").text) and text
        )
    assert "A request came in" in heard
    backends.redis.delete(*backends.redis.keys("flowforge:listening:*"))
    refused = trial.browser.client.post(test_url, json={})
    assert (refused.status_code, "nobody is listening" in refused.text) == (404, True)
    assert trial.browser.client.post(f"{test_url}x", json={}).status_code == 404


def test_a_draft_that_cannot_run_yet_takes_the_data_and_runs_no_step(trial: Trial, backends: Backends) -> None:
    add(trial, "HTTP_REQUEST")
    with working(backends):
        run = trial.run(trial.call(body='{"total": 21}'))
    assert (run["status"], run["outputs"]) == ("COMPLETED", {})
    assert "&#34;total&#34;: 21" in trial.page("trigger")


def test_a_test_call_has_to_prove_itself_as_any_other(trial: Trial, backends: Backends) -> None:
    trial.save(trigger={"type": "webhook", "config": {"auth": "header", "header": "X-Key", "secret": "hush-hush-17"}})
    test_url = trial.listen()
    assert trial.browser.client.post(test_url, json={}).status_code == 401
    with working(backends):
        run = trial.run(trial.call(body='{"total": 1}', method="POST"))
    assert run["payload"]["body"] == {"total": 1}
    assert "hush-hush-17" not in str(run["payload"])


def test_a_caller_who_waits_gets_the_answer_of_the_draft(trial: Trial, backends: Backends) -> None:
    trial.save(trigger={"type": "webhook", "config": {"respond": "when finished"}})
    test_url = trial.listen()
    with working(backends):
        answer = trial.browser.client.post(test_url, json={"total": 4})
    assert (answer.status_code, answer.json) == (200, {"twice": 8})


def test_a_saved_sample_is_used_until_the_next_request_comes_in(trial: Trial, backends: Backends) -> None:
    assert trial.edit("", to="request", body='{"total": 7}', method="POST").status_code == 303
    assert "&#34;total&#34;: 7" in trial.page("trigger")
    with working(backends):
        trial.run(trial.call(body='{"total": 8}'))
    assert "&#34;total&#34;: 8" in trial.page("trigger")


def test_without_script_a_request_leads_to_its_run(trial: Trial) -> None:
    answer = trial.edit("", to="call", body="{}", method="POST")
    assert answer.status_code == 303
    assert answer.location.startswith("/executions/")


def test_a_published_draft_says_which_url_starts_it_now(trial: Trial) -> None:
    trial.save()
    answer = trial.edit("", to="publish", step="/actions/0")
    page = trial.browser.get(answer.location).text
    assert re.search(r"data-published-url>.*?/webhook/[\w-]+.*?Copy URL", page, re.DOTALL)
