"""The log over the API: the caller's lines, filtered and in pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from flowforge import jsonio
from flowforge.logbook import LogEntry, NewEntry
from flowforge.logbook.port import PAGE_BYTES
from flowforge.wiring import Backends
from tests.people import Person

LOGS = "/api/v1/logs"
WORKFLOW, EXECUTION, EVENT = (UUID(int=number) for number in (101, 102, 103))


def write(backends: Backends, person: Person, number: int, **parts: Any) -> LogEntry:
    given = {"execution_id": EXECUTION, "event_id": None, "event_type": "RESULT", "status": "SUCCESS"} | parts
    entry = NewEntry(f"key-{person.username}-{number}", person.id, WORKFLOW, data={"number": number}, **given)
    (written,) = backends.logbook.append([entry])
    return written


@pytest.fixture
def lines(backends: Backends, owner: Person, stranger: Person) -> list[LogEntry]:
    write(backends, stranger, 9)
    return [
        write(backends, owner, 0, event_type="TRIGGER", status="FIRED", event_id=EVENT, execution_id=None),
        write(backends, owner, 1),
        write(backends, owner, 2, status="FAILURE"),
    ]


def page(client: FlaskClient, person: Person, query: str = "", path: str = "") -> Any:
    answer = client.get(f"{LOGS}{path}?{query}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def numbers(answer: Any) -> list[int]:
    return [entry["data"]["number"] for entry in answer["content"]]


def test_a_line_has_the_contracts_fields(client: FlaskClient, owner: Person, lines: list[LogEntry]) -> None:
    (shown,) = page(client, owner, f"eventId={EVENT}")["content"]

    assert shown == {
        "id": lines[0].id,
        "userId": str(owner.id),
        "workflowId": str(WORKFLOW),
        "executionId": None,
        "eventId": str(EVENT),
        "eventType": "TRIGGER",
        "status": "FIRED",
        "data": {"number": 0},
        "timestamp": jsonio.format_time(lines[0].timestamp),
        "truncated": False,
    }


def test_the_newest_comes_first_and_only_the_callers(
    client: FlaskClient, owner: Person, stranger: Person, lines: list[LogEntry]
) -> None:
    assert numbers(page(client, owner)) == [2, 1, 0]
    assert numbers(page(client, stranger)) == [9]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"executionId={EXECUTION}", [2, 1]),
        (f"workflowId={WORKFLOW}", [2, 1, 0]),
        (f"workflowId={UUID(int=1)}", []),
        ("eventType=TRIGGER", [0]),
        ("eventType=&status=", [2, 1, 0]),
        ("status=FAILURE", [2]),
        ("status=FAILURE&status=SUCCESS", [2]),
        (f"executionId={EXECUTION}&status=SUCCESS", [1]),
        ("sort=timestamp,asc", [0, 1, 2]),
        ("sort=data,asc", [2, 1, 0]),
        ("size=2&page=1", [0]),
    ],
)
def test_filters(client: FlaskClient, owner: Person, lines: list[LogEntry], query: str, found: list[int]) -> None:
    assert numbers(page(client, owner, query)) == found


def test_from_and_to_are_inclusive(client: FlaskClient, owner: Person, lines: list[LogEntry]) -> None:
    moment = jsonio.format_time(lines[1].timestamp)
    later = jsonio.format_time(lines[2].timestamp + timedelta(seconds=1))

    assert 1 in numbers(page(client, owner, f"from={moment}&to={moment}"))
    assert numbers(page(client, owner, f"from={later}")) == []


def test_of_an_execution_and_of_a_workflow(client: FlaskClient, owner: Person, lines: list[LogEntry]) -> None:
    assert numbers(page(client, owner, path=f"/executions/{EXECUTION}")) == [2, 1]
    assert numbers(page(client, owner, path=f"/workflows/{WORKFLOW}", query="sort=timestamp,asc&size=1")) == [0]


def test_somebody_elses_lines_are_not_there(
    client: FlaskClient, stranger: Person, owner: Person, lines: list[LogEntry]
) -> None:
    assert numbers(page(client, stranger, path=f"/executions/{EXECUTION}")) == [9]


def test_comes_in_the_contracts_envelope(client: FlaskClient, owner: Person, lines: list[LogEntry]) -> None:
    answer = page(client, owner, "size=2")

    assert (answer["totalElements"], answer["totalPages"], answer["size"], answer["last"]) == (3, 2, 2, False)
    assert answer["pageable"]["sort"] == answer["sort"] == {"empty": False, "sorted": True, "unsorted": False}


def test_a_large_size_is_cut(client: FlaskClient, owner: Person) -> None:
    assert page(client, owner, "size=5000")["size"] == 200


def test_a_page_of_large_lines_is_bounded_and_says_what_it_lacks(
    client: FlaskClient, backends: Backends, owner: Person
) -> None:
    large = {"text": "x" * 1_000_000}
    backends.logbook.append(
        [NewEntry(f"{number}", owner.id, WORKFLOW, EXECUTION, None, "RESULT", "SUCCESS", large) for number in range(10)]
    )

    answer = client.get(LOGS, headers=owner.headers)
    behind = page(client, owner, "size=5&page=1")

    assert len(answer.data) < PAGE_BYTES + 10_000
    assert [line["truncated"] for line in answer.json["content"]] == [False] * 8 + [True] * 2
    assert [line["data"] for line in answer.json["content"]] == [large] * 8 + [None] * 2
    assert [line["data"] for line in behind["content"]] == [large] * 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=-1", "/page"),
        ("page=x", "/page"),
        ("size=0", "/size"),
        ("size=many", "/size"),
        ("from=yesterday", "/from"),
        ("to=2026-13-01T00:00:00Z", "/to"),
        ("from=0001-01-01T00:00:00%2B05:00", "/from"),
        ("executionId=17", "/executionId"),
        ("eventId=x", "/eventId"),
        ("status=%00", "/status"),
        ("eventType=a%0Ab", "/eventType"),
        ("workflowId=x", "/workflowId"),
    ],
)
def test_what_cannot_be_asked_is_refused(client: FlaskClient, owner: Person, query: str, field: str) -> None:
    refused = client.get(f"{LOGS}?{query}", headers=owner.headers)

    assert refused.status_code == 400
    assert [detail["pointer"] for detail in refused.json["details"]] == [field]


@pytest.mark.parametrize("text", ["2026-03-04T05:06:07Z", "2026-03-04T05:06:07.123456789Z", "2026-03-04T05:06:07"])
def test_times_are_read_as_any_client_writes_them(client: FlaskClient, owner: Person, text: str) -> None:
    assert page(client, owner, f"from={text}&to={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")["empty"] is True
