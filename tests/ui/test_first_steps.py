"""Templates, triggers, dead letters and errors, as pages."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import text

from flowforge.bus import Delivery
from flowforge.executions.dead_letters import bury
from flowforge.wiring import Backends
from tests.ui.conftest import Browser
from tests.ui.test_pages import created

SCHEDULE = {
    "name": "Nightly",
    "trigger": {"type": "scheduler", "config": {"cron": "30 2 * * 1-5", "timeZone": "Europe/Berlin"}},
    "actions": [],
}


def test_an_empty_account_is_met_by_templates_of_which_one_needs_nothing(ada: Browser) -> None:
    page = ada.get("/workflows").text
    assert page.count("Use template") == 3
    answer = ada.send("/templates/greet", "/workflows")
    assert answer.status_code == 303
    assert "Greet whoever calls" in ada.get(answer.location).text


def test_a_template_asks_for_what_only_the_person_knows(ada: Browser) -> None:
    empty = ada.send("/templates/tell-slack", "/templates/tell-slack", webhookUrl="")
    assert empty.status_code == 400
    assert "is required" in empty.text
    wrong = ada.send("/templates/watch-address", "/templates/watch-address", url="nonsense")
    assert wrong.status_code == 400
    done = ada.send("/templates/watch-address", "/templates/watch-address", url="https://example.test/")
    assert done.status_code == 303
    assert ada.get("/templates/nothing").status_code == 404


def test_a_schedule_is_read_out_with_its_next_five_times(ada: Browser) -> None:
    page = ada.get(created(ada, SCHEDULE)).text
    assert "At 02:30, Monday through Friday (Europe/Berlin)" in page
    assert page.count("<time") >= 5


def test_workflows_are_tagged_and_found_by_it(ada: Browser) -> None:
    path = created(ada, SCHEDULE)
    assert ada.send(f"{path}/tags", path, tags="Shop, nightly ,").status_code == 303
    assert 'value="nightly, shop"' in ada.get(path).text
    assert "Nightly" in ada.get("/workflows?tag=shop").text
    assert "No matching workflows" in ada.get("/workflows?tag=other").text
    ada.send(f"{path}/tags", path, tags="x" * 41)
    assert "Tags not saved" in ada.get(path).text


def test_a_mailbox_that_cannot_be_opened_says_why(ada: Browser) -> None:
    config = {"username": "jane", "password": "secret", "host": "127.0.0.1", "port": 1, "secure": False}
    path = created(ada, {"name": "Mail", "trigger": {"type": "email", "config": config}, "actions": []})
    test = re.search(r"/triggers/[0-9a-f-]+/test", ada.get(path).text)
    assert test
    assert ada.send(test[0], path).status_code == 303
    assert "could not be opened" in ada.get(path).text


def test_a_failed_message_is_shown_sent_again_and_discarded(ada: Browser, backends: Backends) -> None:
    for position in "12":
        value = f"<broken {position}>".encode()
        with backends.engine.begin() as connection:
            bury(connection, Delivery("execution.result", "key", value, position), "group", "it is not JSON")
    page = ada.get("/failed-messages").text
    assert "it is not JSON" in page
    assert "&lt;broken 1&gt;" in page
    retry, discard = (re.search(rf"/failed-messages/[0-9a-f-]+/{what}", page) for what in ("retry", "discard"))
    assert retry
    assert discard
    assert ada.send(retry[0], "/failed-messages").status_code == 303
    assert ada.send(discard[0], "/failed-messages").status_code == 404  # it was the same letter
    page = ada.get("/failed-messages").text
    discard = re.search(r"/failed-messages/[0-9a-f-]+/discard", page)
    assert discard
    assert ada.send(discard[0], "/failed-messages").status_code == 303
    assert "No failed messages" in ada.get("/failed-messages").text


def test_an_ended_session_is_told_and_a_form_leads_to_signing_in(ada: Browser, app: Flask, backends: Backends) -> None:
    with backends.engine.begin() as connection:
        connection.execute(text("DELETE FROM auth.web_sessions"))
    answer = ada.get("/executions")
    assert answer.location == "/sign-in?next=/executions&ended=1"
    assert "Your session has expired" in ada.get(answer.location).text
    stranger = Browser(app.test_client())
    assert stranger.post("/workflows/new", definition="{}").location == "/sign-in?ended=1"
    assert stranger.get("/workflows").location == "/sign-in?next=/workflows"


def test_error_pages_lead_on(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    missing = ada.get("/workflows/00000000-0000-0000-0000-000000000000")
    assert missing.status_code == 404
    assert "Page not found" in missing.text
    refused = ada.post("/workflows/new", definition="{}", csrf_token="forged")
    assert refused.status_code == 403
    assert "Nothing was changed" in refused.text


def test_templates_are_listed_by_groups_and_searched(ada: Browser) -> None:
    page = ada.get("/templates").text
    assert page.index("Webhooks and forms") < page.index("Language models")
    assert "Contact form" not in page  # the title is told, not the name that the workflow gets
    found = ada.get("/templates?q=sftp+folder").text
    assert set(re.findall(r'href="/templates/([\w-]+)"', found)) == {"file-copy", "mail-attachments"}
    assert "No matching templates" in ada.get("/templates?q=unicorn").text


def test_a_template_shows_what_it_does_and_offers_connections_that_fit(ada: Browser) -> None:
    page = ada.get("/templates/github-issue-to-chat").text
    assert "you have no matching connection yet" in page
    draft = ada.send("/templates/github-issue-to-chat", "/templates", secret="s" * 8, channel="#dev")
    assert "there is no connection &#39;slack&#39;" in ada.get(draft.location).text
    assert re.findall(r"<strong>(.*?)</strong>", page) == ["Only what is opened", "Post it"]
    for name, kind in (("team", "slack"), ("files", "s3")):
        path = f"/connections/new?type={kind}"
        fields = {"config.botToken": "xoxb-1"} if kind == "slack" else {"config.bucket": "b", "config.region": "eu"}
        fields |= {} if kind == "slack" else {"config.accessKey": "a", "config.secretKey": "b"}
        ada.send("/connections/new", path, name=name, type=kind, **fields)
    page = ada.get("/templates/github-issue-to-chat").text
    assert re.findall(r"<option[^>]*>(\w+)</option>", page) == ["team"]
    done = ada.send("/templates/github-issue-to-chat", "/templates", secret="s" * 8, slack="team", channel="#dev")
    assert done.status_code == 303
