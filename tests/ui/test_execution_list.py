"""The list of executions: what started each, a field of its payload, and what is done to many at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge.db.tables import WorkflowVersion
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.statements import counting_statements
from tests.stored_rows import NOON
from tests.ui.conftest import Browser
from tests.ui.test_pages import GREETING, created, finished

LIST = "/executions"
Execution = Callable[..., UUID]


@pytest.fixture
def workflow_id(ada: Browser) -> str:
    return created(ada, GREETING).rpartition("/")[2]


@pytest.fixture
def ran(session: Session, ada: Browser, execution: Execution, workflow_id: str) -> Execution:
    """Adds an execution of ada's workflow."""
    user_id = session.scalar(text("SELECT id FROM auth.users"))

    def add(minutes: int = 0, **values: Any) -> UUID:
        over = {} if values.get("status") == "RUNNING" else {"finished_at": NOON + timedelta(minutes=minutes)}
        return execution(minutes, user_id=user_id, workflow_id=UUID(workflow_id), **over, **values)

    return add


def rows(browser: Browser, query: str = "") -> list[str]:
    """The text of each row."""
    page = browser.get(LIST + query).text.partition("<tbody")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in page.split("<tr")[1:]]


def change(browser: Browser, action: str, ids: list[UUID]) -> str:
    """Does it, and returns the notice of the next page."""
    assert browser.send("/executions/bulk", LIST, action=action, id=[str(id_) for id_ in ids]).status_code == 303
    [told] = re.findall(r'(?s)class="toast"[^>]*>(.*?)</p>', browser.get(LIST).text)
    return told


def test_each_tells_what_started_it(ada: Browser, ran: Execution) -> None:
    first = ran(1, trigger_type="webhook")
    ran(2, trigger_type="replay", replay_of=first)
    ran(3, trigger_type="workflow", parent_execution_id=first)
    called, again, webhook = rows(ada)
    assert "Webhook" in webhook
    assert f"Replay of …{str(first)[-8:]}" in again
    assert "Called by Greeting" in called


def test_a_run_of_a_draft_is_a_test(ada: Browser, ran: Execution, session: Session, workflow_id: str) -> None:
    draft = WorkflowVersion(id=uuid7(), workflow_id=UUID(workflow_id), definition={}, templated=True)
    session.add(draft)
    session.commit()
    ran(trigger_type="manual", version_id=draft.id)
    [row] = rows(ada)
    assert " Test " in row


def test_the_field_that_a_workflow_shows_stands_in_its_rows(ada: Browser, ran: Execution, workflow_id: str) -> None:
    ran(1, trigger_payload={"body": {"order": {"id": 4711}, "items": [{"name": "<b>"}]}})
    ran(2, trigger_payload={"body": "text"})
    assert not any("4711" in row for row in rows(ada))
    where = f"/workflows/{workflow_id}/list-field"
    assert ada.send(where, LIST, field="{{ trigger.body.order.id }}").location == f"/executions?workflow={workflow_id}"
    assert ["4711" in row for row in rows(ada)] == [False, True]
    ada.send(where, LIST, field="body.items[0].name")
    assert "&lt;b&gt;" in rows(ada)[1]
    ada.send(where, LIST, field="a..b")
    assert "must be names with . between them" in ada.get(LIST).text


def test_the_oldest_come_first_where_that_is_wanted(ada: Browser, ran: Execution) -> None:
    for minute in range(3):
        ran(minute, trigger_type="webhook" if minute else "email")
    assert ["Webhook" in row for row in rows(ada, "?order=oldest")] == [False, True, True]
    assert 'aria-sort="ascending"' in ada.get(f"{LIST}?order=oldest").text


def test_many_are_replayed(ada: Browser, backends: Backends, workflow_id: str) -> None:
    path = f"/workflows/{workflow_id}"
    ada.send(f"{path}/run", path, payload="{}")
    finished(backends)
    [id_] = re.findall(r'name="id" value="([0-9a-f-]{36})">\s*<span', ada.get(LIST).text)
    assert "1 replay started." in change(ada, "replay", [UUID(id_)])
    with backends.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM trigger_service.trigger_events")) == 2


def test_many_are_cancelled_and_deleted(ada: Browser, ran: Execution) -> None:
    running, over = ran(1, status="RUNNING"), ran(2, status="FAILED")
    assert "1 execution cancelled." in change(ada, "cancel", [running, over])
    assert "1 execution deleted." in change(ada, "delete", [running])
    kept = ran(4, status="RUNNING")
    assert "0 executions deleted. Those that are still running were kept." in change(ada, "delete", [kept])
    assert len(rows(ada)) == 2
    assert "Select at least one" in change(ada, "replay", [])
    assert ada.send("/executions/bulk", LIST, action="nonsense", id=[str(over)]).status_code == 400


def test_nobody_changes_what_is_not_theirs(ada: Browser, ran: Execution, signed_up: Callable[[str], Browser]) -> None:
    ids, eve = [ran(1, status="RUNNING"), ran(2)], signed_up("eve")
    for action, told in (
        ("cancel", "2 could not be changed"),
        ("replay", "could not be changed"),
        ("delete", "0 exec"),
    ):
        assert told in change(eve, action, ids)
    assert [("Running" in row) for row in rows(ada)] == [False, True]


def test_a_filter_is_saved_under_a_name(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    where = "/saved-filters/executions"
    answer = ada.send(where, LIST, name=" My  failures ", query="trigger=&status=FAILED&at=1&evil=2")
    assert answer.location == "/executions?status=FAILED"
    page = ada.get(LIST).text
    assert '<a class="chip" href="/executions?status=FAILED" dir="auto">My failures</a>' in page
    assert 'aria-current="true">My failures' in ada.get("/executions?status=FAILED").text
    assert "My failures" not in ada.get("/workflows").text
    assert "My failures" not in signed_up("eve").get(LIST).text
    for wrong in ({"name": "", "query": "status=FAILED"}, {"name": "x", "query": "nothing=1"}):
        ada.send(where, LIST, **wrong)
        assert "was not saved" in ada.get(LIST).text
    ada.send(f"{where}/delete", LIST, name="My failures")
    assert "My failures" not in ada.get(LIST).text
    assert ada.send("/saved-filters/nonsense", LIST, name="x", query="q=1").status_code == 404


@pytest.mark.parametrize("page", ["/executions", "/workflows"])
def test_an_address_may_ask_for_more_than_a_filter_knows(ada: Browser, page: str) -> None:
    more = "&".join(f"utm_{number}=1" for number in range(200))
    assert ada.get(f"{page}?{more}").status_code == 200


def test_the_number_of_statements_does_not_grow(ada: Browser, ran: Execution, backends: Backends) -> None:
    def statements() -> int:
        with counting_statements(backends.engine) as sent:
            ada.get(LIST)
        return len(sent)

    first = ran(1)
    few = statements()
    for minute in range(2, 20):
        ran(minute, replay_of=first, parent_execution_id=first)
    assert statements() == few
