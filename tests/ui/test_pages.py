"""The dashboard as somebody meets it who has only a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import ExecutionRow, StepAttempt, TriggerEventRow, Workflow
from flowforge.ids import uuid7
from flowforge.language.blocks import BLOCKS
from flowforge.triggers.kinds import trigger_kinds
from flowforge.wiring import Backends
from tests.ui.conftest import PASSWORD, Browser

GREETING = {
    "name": "Greeting",
    "trigger": {"type": "webhook"},
    "actions": [
        {"id": "hello", "type": "TRANSFORM", "config": {"output": {"text": "Hello {{ trigger.name }}"}}},
        {"type": "SLACK_MESSAGE", "config": {"webhookUrl": "https://hooks.example.test/secret", "message": "hi"}},
    ],
}


def created(browser: Browser, definition: dict[str, Any] = GREETING) -> str:
    """Path of a new workflow."""
    answer = browser.send("/workflows/new", "/workflows/new", definition=json.dumps(definition))
    assert answer.status_code == 303, answer.text
    return answer.location


_TOKEN = r"/webhook/([0-9a-f-]{36})"


def test_a_stranger_is_sent_to_sign_in_and_from_there_back(ada: Browser, visitor: Browser) -> None:
    refused = visitor.get("/executions?status=FAILED")
    assert (refused.status_code, refused.location) == (303, "/sign-in?next=/executions?status%3DFAILED")
    welcome = visitor.send(
        "/sign-in", refused.location, username="ada", password=PASSWORD, next="/executions?status=FAILED"
    )
    assert (welcome.status_code, welcome.location) == (303, "/executions?status=FAILED")
    assert visitor.get(welcome.location).status_code == 200


def test_the_first_visitor_is_asked_to_create_the_first_account(visitor: Browser) -> None:
    assert visitor.get("/sign-in").location == "/register"
    assert "Create the first account" in visitor.get("/register").text


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "evil"])
def test_signing_in_never_leads_to_another_site(ada: Browser, visitor: Browser, elsewhere: str) -> None:
    answer = visitor.send("/sign-in", "/sign-in", username="ada", password=PASSWORD, next=elsewhere)
    assert answer.location == "/"


def test_a_wrong_password_is_said_and_the_name_kept(ada: Browser, visitor: Browser) -> None:
    answer = visitor.send("/sign-in", "/sign-in", username="ada", password="wrong wrong wrong")
    assert answer.status_code == 401
    assert "password is wrong" in answer.text
    assert 'value="ada"' in answer.text


def test_registration_names_every_field_at_fault(visitor: Browser) -> None:
    answer = visitor.send("/register", "/register", username="", email="nowhere", password="short")
    assert answer.status_code == 400
    assert answer.text.count('aria-invalid="true"') == 3
    assert "short" not in answer.text


def test_signing_out_ends_the_session(ada: Browser) -> None:
    assert ada.send("/sign-out", "/workflows").status_code == 303
    assert ada.get("/workflows").location.startswith("/sign-in")


def test_a_form_without_the_sessions_token_is_refused(ada: Browser) -> None:
    for token in ({}, {"csrf_token": "forged"}, {"csrf_token": "é"}):
        answer = ada.post("/workflows/new", definition=json.dumps(GREETING), **token)
        assert answer.status_code == 403
    assert "Greeting" not in ada.get("/workflows").text


def test_the_starter_example_can_be_saved_as_it_is(ada: Browser) -> None:
    page = ada.get("/workflows/new").text
    example = unescape(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    assert ada.send("/workflows/new", "/workflows/new", definition=example).status_code == 303


def test_a_workflow_is_listed_and_shows_how_to_call_it(ada: Browser) -> None:
    path = created(ada)
    assert "Greeting" in ada.get("/workflows").text
    page = ada.get(path).text
    assert "/webhook/" in page
    assert "curl -X POST" in page


def test_the_address_of_a_webhook_is_renewed(ada: Browser, visitor: Browser) -> None:
    path = created(ada, {"name": "Orders", "trigger": {"type": "webhook"}, "actions": []})
    page = ada.get(path).text
    (place,), (token,) = set(re.findall(r'action="(/triggers/[^"]+/token)"', page)), set(re.findall(_TOKEN, page))

    assert ada.send(place, path, overlap="1440").headers["Location"].endswith(path)
    after = ada.get(path).text
    assert "The old URL remains valid for 1,440 minutes" in after
    assert token not in after
    assert visitor.client.post(f"/webhook/{token}").status_code == 200
    ada.send(place, path)
    assert "The old URL remains valid for 60 minutes" in ada.get(path).text
    assert ada.send(place, path, overlap="0").status_code == 303
    assert "The old URL is no longer valid" in ada.get(path).text


def test_a_webhook_is_called_as_its_sender_does_it(ada: Browser, backends: Backends) -> None:
    path = created(
        ada, GREETING | {"trigger": {"type": "webhook", "config": {"auth": "stripe", "secret": "whsec_17 4"}}}
    )
    [address] = re.findall(r'action="(/triggers/[^"]+/call)"', ada.get(path).text)
    for body, said in (('{"id": "evt_1"}', "The webhook answered 200"), ("{", "The webhook answered 400")):
        assert ada.send(address, path, body=body).location == path
        assert said in ada.get(path).text
    with backends.engine.connect() as connection:
        events = connection.exec_driver_sql("SELECT payload->'body' FROM trigger_service.trigger_events")
        assert [row[0] for row in events] == [{"id": "evt_1"}]


def test_nobody_calls_others_webhooks_from_a_page(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    path = created(
        ada, GREETING | {"trigger": {"type": "webhook", "config": {"auth": "github", "secret": "whsec_17 4"}}}
    )
    [address] = re.findall(r'action="(/triggers/[^"]+/call)"', ada.get(path).text)
    assert signed_up("eve").send(address, "/workflows/new", body="{}").status_code == 404


def test_every_problem_is_shown_with_its_pointer_and_the_text_is_kept(ada: Browser) -> None:
    wrong = {
        "name": "",
        "trigger": {"type": "moon"},
        "actions": [{"type": "NOPE"}, {"type": "HTTP_REQUEST", "config": {}}],
    }
    answer = ada.send("/workflows/new", "/workflows/new", definition=json.dumps(wrong))
    assert answer.status_code == 400
    assert "<code>/name</code>" in answer.text
    assert "moon" in answer.text
    wrong["name"] = "Named"
    answer = ada.send("/workflows/new", "/workflows/new", definition=json.dumps(wrong))
    for pointer in ("/trigger/type", "/actions/0/type", "/actions/1/config/url"):
        assert f"<code>{pointer}</code>" in answer.text


@pytest.mark.parametrize("text", ["{", "[]", "", "nonsense"])
def test_what_is_no_json_object_is_refused(ada: Browser, text: str) -> None:
    answer = ada.send("/workflows/new", "/workflows/new", definition=text)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("page", ["/workflows/new", "{workflow}/edit", "{workflow}/build/text"])
def test_who_writes_a_definition_as_text_sees_every_type_there_is(ada: Browser, page: str) -> None:
    shown = ada.get(page.format(workflow=created(ada))).text
    for type_ in (*trigger_kinds(), *load_catalog().types(), *BLOCKS):
        assert f"<code>{type_}</code>" in shown


def test_a_secret_is_masked_and_survives_an_edit(ada: Browser, backends: Backends) -> None:
    path = created(ada)
    editor = ada.get(f"{path}/edit").text
    assert "hooks.example.test" not in editor + ada.get(path).text
    text = unescape(editor.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    changed = json.loads(text) | {"name": "Renamed"}
    assert ada.send(f"{path}/edit", f"{path}/edit", definition=json.dumps(changed)).status_code == 303
    with backends.engine.connect() as connection:
        name, actions = connection.execute(select(Workflow.name, Workflow.actions_definition)).one()
    assert name == "Renamed"
    assert backends.vault.open(actions[1]["config"]["webhookUrl"]) == "https://hooks.example.test/secret"


def test_a_run_by_hand_is_shown_at_once_and_as_it_goes(ada: Browser, backends: Backends) -> None:
    path = created(ada)
    answer = ada.send(f"{path}/run", path, payload='{"name": "Ada"}')
    assert answer.status_code == 303
    page = ada.get(answer.location).text
    assert 'data-state="PENDING"' in page
    assert 'data-over="false"' in page
    finished(backends)
    page = ada.get(answer.location).text
    assert 'data-state="COMPLETED"' in page
    assert 'data-over="true"' in page
    assert "Hello Ada" in page
    assert "live.js" not in page
    assert 'data-state="COMPLETED"' in ada.get("/workflows").text


def finished(backends: Backends) -> None:
    """What orchestrator and executor write for the event that waits."""
    with backends.engine.begin() as connection:
        event = connection.execute(select(TriggerEventRow)).one()
        version = connection.execute(select(Workflow.version_id)).scalar_one()
        connection.execute(
            ExecutionRow.__table__.insert().values(
                id=event.execution_id,
                workflow_id=event.workflow_id,
                user_id=event.user_id,
                status="COMPLETED",
                current_step=2,
                trigger_payload=event.payload,
                step_outputs={"step_0": {"text": "Hello Ada"}, "step_1": {"sent": True}},
                version_id=version,
                trigger_type="manual",
            )
        )
        for index in (0, 1):
            connection.execute(
                StepAttempt.__table__.insert().values(
                    execution_id=event.execution_id,
                    workflow_id=event.workflow_id,
                    step_index=index,
                    iteration=0,
                    attempt=1,
                    state="APPLIED",
                    due_at=event.created_at,
                    succeeded=True,
                    started_at=event.created_at,
                    finished_at=event.created_at,
                )
            )


def test_an_unusable_payload_starts_nothing(ada: Browser) -> None:
    path = created(ada)
    answer = ada.send(f"{path}/run", path, payload="[1]")
    assert answer.status_code == 400
    assert "must be a JSON object" in answer.text
    assert "No executions" in ada.get("/executions").text


def test_a_disabled_workflow_is_not_run(ada: Browser) -> None:
    path = created(ada)
    ada.send(f"{path}/enabled", path, enabled="false")
    assert 'data-state="DISABLED"' in ada.get(path).text
    assert ada.send(f"{path}/run", path, payload="{}").status_code == 409
    ada.send(f"{path}/enabled", path, enabled="true")
    assert ada.send(f"{path}/run", path, payload="").status_code == 303


def test_a_deleted_workflow_is_gone(ada: Browser) -> None:
    path = created(ada)
    assert ada.send(f"{path}/delete", path).location == "/workflows"
    assert ada.get(path).status_code == 404


def test_executions_are_filtered_by_workflow_and_status_in_the_address(ada: Browser, backends: Backends) -> None:
    path = created(ada)
    ada.send(f"{path}/run", path, payload='{"name": "Ada"}')
    finished(backends)
    workflow_id = path.rpartition("/")[2]
    found = ada.get(f"/executions?workflow={workflow_id}&status=COMPLETED&last=1h").text
    assert 'data-state="COMPLETED"' in found
    assert re.search(r"</svg>\s*Manual\s*</td>", found)  # the builder's word for it
    assert "No executions with this filter" in ada.get("/executions?status=FAILED").text
    assert "No executions with this filter" in ada.get(f"/executions?workflow={uuid7()}").text
    assert ada.get("/executions?workflow=x&status=y&at=z&since=then&last=ever").status_code == 200
    assert ada.get("/executions?endpoint=x&_method=y").status_code == 200


def test_a_workflow_is_switched_where_it_is_listed(ada: Browser) -> None:
    path = created(ada)
    answer = ada.send(f"{path}/enabled", "/workflows?q=Gree", enabled="false", back="/workflows?q=Gree")
    assert answer.location == "/workflows?q=Gree"
    page = ada.get("/workflows?state=disabled").text
    assert "” disabled." in page
    assert 'aria-checked="false"' in page
    assert "Greeting" not in ada.get("/workflows?state=enabled").text


def test_nobody_sees_or_touches_what_is_somebody_elses(
    ada: Browser, signed_up: Callable[[str], Browser], backends: Backends
) -> None:
    path = created(ada)
    started = ada.send(f"{path}/run", path, payload="{}").location
    eve = signed_up("eve")
    execution = started.partition("?")[0]
    for page in (path, f"{path}/edit", started, execution, f"{execution}/progress", f"{execution}/log"):
        assert eve.get(page).status_code == 404
    finished(backends)
    for page in (started, f"{execution}/progress"):
        assert eve.get(page).status_code == 404
    for action in (f"{path}/run", f"{path}/enabled", f"{path}/delete", f"{path}/edit", f"{execution}/cancel"):
        assert eve.send(action, "/workflows", definition=json.dumps(GREETING)).status_code == 404
    assert "Greeting" not in eve.get("/workflows").text


def test_a_failed_step_tells_its_attempts_and_why(ada: Browser, backends: Backends) -> None:
    path = created(ada)
    started = ada.send(f"{path}/run", path, payload="{}").location
    finished(backends)
    why = {"message": "the receiver answered <503>", "permanent": False}
    with backends.engine.begin() as connection:
        connection.execute(update(ExecutionRow).values(status="FAILED", step_outputs={}, error={"stepIndex": 1, **why}))
        connection.execute(update(StepAttempt).where(StepAttempt.step_index == 1).values(succeeded=False, error=why))
    page = ada.get(started).text
    assert "Failed in “Slack message”" in page
    assert "the receiver answered &lt;503&gt;" in page
    assert 'class="card step" data-state="FAILED"' in page
    assert "attempt 1: Failed" in page  # in the timeline


def test_pages_hold_no_inline_script_or_style(ada: Browser) -> None:
    path = created(ada)
    for page in ("/workflows", "/workflows/new", path, "/executions"):
        answer = ada.get(page)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert " style=" not in answer.text
        assert "<style" not in answer.text


def test_an_unknown_page_is_a_page_even_for_a_stranger(visitor: Browser) -> None:
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "FlowForge" in answer.text


def test_with_the_database_away_there_is_still_a_page(
    ada: Browser, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, ConnectionRefusedError())

    monkeypatch.setattr(backends.engine, "connect", refused)
    answer = ada.get("/workflows")
    assert answer.status_code == 503
    assert answer.mimetype == "text/html"
