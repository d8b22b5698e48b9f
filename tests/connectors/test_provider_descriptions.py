"""What the actions of services ask for, compared with the descriptions that the providers publish: the operation, its
parameters, the fields of its body. Google's come with google-api-python-client, the others by
scripts/fetch_descriptions.py, as `make test` does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received

from bench.descriptions import FETCHED, google_folder
from flowforge.apis.checking import find_problems
from flowforge.apis.description import Description
from flowforge.apis.form import form_schema
from flowforge.apis.operation import Operation
from flowforge.apis.reading import read_description
from flowforge.connectors.catalog import load_catalog
from flowforge.file_values import InlineFile
from flowforge.jsonio import JsonObject
from tests.connectors.running import Step, received_by

REPORT = InlineFile("report.txt", "text/plain", b"all is well\n")


@dataclass(frozen=True)
class Published:
    """A description of a provider. `place`: where the addresses of its operations begin; `of_signing`: parameters that
    the connection stands for, or that every operation takes."""

    file: Path
    place: str = ""
    of_signing: frozenset[str] = frozenset()
    is_exact: bool = True
    """Whether it says of all fields what they are; others have the names of the topmost ones right."""
    any_case: bool = False
    """Whether names may be written in small and capital letters alike."""
    versions: tuple[str, str] = ("", "")
    """The version that is spoken, and the one that is described, where they differ in what a field holds alone."""

    @property
    def description(self) -> Description:
        if not self.file.exists():
            pytest.skip(f"{self.file.name} is fetched by scripts/fetch_descriptions.py")
        return _read(self.file)


@cache
def _read(file: Path) -> Description:
    return read_description(file.read_bytes())


def google(name: str, place: str = "") -> Published:
    return Published(google_folder() / f"{name}.json", place, frozenset({"alt", "fields", "uploadType"}))


GMAIL = google("gmail.v1")
DRIVE = google("drive.v3")
CALENDAR = google("calendar.v3", "/calendar/v3")
SHEETS = google("sheets.v4", "/v4/spreadsheets")
GITHUB = Published(FETCHED / "github.json")
STRIPE = Published(FETCHED / "stripe.json", "/v1", is_exact=False)
SLACK = Published(FETCHED / "slack.json", of_signing=frozenset({"token"}), is_exact=False)
GRAPH = Published(FETCHED / "microsoft-graph.json", is_exact=False, any_case=True)
NOTION = Published(FETCHED / "notion.json", "/v1", is_exact=False)
JIRA = Published(FETCHED / "jira.json", is_exact=False, versions=("/api/2/", "/api/3/"))
TELEGRAM = Published(FETCHED / "telegram.json", is_exact=False)

REPOSITORY = {"owner": "o", "repository": "r"}
MEETING = {"begin": "2026-03-01T08:00:00", "end": "2026-03-01T09:00:00"}
CASES: list[tuple[Published, str, JsonObject]] = [
    (GMAIL, "GMAIL_SEND", {"to": "ann@example.org", "subject": "Hi", "text": "Hello", "attachments": [REPORT]}),
    (GMAIL, "GMAIL_SEARCH", {"query": "is:unread", "labels": ["INBOX"]}),
    (GMAIL, "GMAIL_READ", {"messageId": "m1"}),
    (GMAIL, "GMAIL_LABEL", {"messageId": "m1", "add": ["STARRED"], "remove": ["UNREAD"]}),
    (DRIVE, "DRIVE_LIST", {"folder": "f1", "query": "name contains 'offer'", "orderBy": "name"}),
    (DRIVE, "DRIVE_DOWNLOAD", {"fileId": "d1"}),
    (DRIVE, "DRIVE_DOWNLOAD", {"fileId": "d1", "exportAs": "application/pdf"}),
    (DRIVE, "DRIVE_UPLOAD", {"file": REPORT, "folder": "f1", "convertTo": "document"}),
    (CALENDAR, "CALENDAR_FIND", {"begin": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z", "query": "x"}),
    (
        CALENDAR,
        "CALENDAR_CREATE",
        {"title": "Standup", "begin": "2026-03-01", "end": "2026-03-02", "guests": ["a@b.c"]},
    ),
    (CALENDAR, "CALENDAR_CHANGE", {"eventId": "e1", "title": "Later", "location": "Hall", "notify": "all"}),
    (CALENDAR, "CALENDAR_DELETE", {"eventId": "e1"}),
    (SHEETS, "SHEETS_READ", {"spreadsheetId": "s1", "sheet": "Orders"}),
    (SHEETS, "SHEETS_FIND", {"spreadsheetId": "s1", "column": "Name", "value": "Ann"}),
    (SHEETS, "SHEETS_APPEND", {"spreadsheetId": "s1", "rows": {"Name": "Ann"}}),
    (SHEETS, "SHEETS_UPDATE", {"spreadsheetId": "s1", "column": "Name", "value": "Ann", "changes": {"Age": 4}}),
    (SHEETS, "SHEETS_CREATE", {"title": "Orders", "columns": ["Name", "Age"]}),
    (GITHUB, "GITHUB_CREATE_ISSUE", {**REPOSITORY, "title": "Bug", "body": "x", "labels": ["a"], "assignees": ["ann"]}),
    (GITHUB, "GITHUB_LIST_ISSUES", {**REPOSITORY, "labels": ["a", "b"], "since": "2026-01-31T00:00:00Z"}),
    (GITHUB, "GITHUB_COMMENT", {**REPOSITORY, "number": 3, "body": "ok"}),
    (
        GITHUB,
        "GITHUB_CHANGE_ISSUE",
        {**REPOSITORY, "number": 3, "state": "closed", "title": "x", "body": "y", "labels": ["a"]},
    ),
    (GITHUB, "GITHUB_START_WORKFLOW", {**REPOSITORY, "workflow": "deploy.yml", "inputs": {"env": "test"}}),
    (SLACK, "SLACK_POST", {"channel": "#a", "text": "hi", "blocks": [{}], "thread": "1.2", "alsoInChannel": True}),
    (SLACK, "SLACK_USER", {"email": "ann@example.org"}),
    (GRAPH, "OUTLOOK_SEND", {"to": "ann@example.org", "subject": "Hi", "content": "Hello", "attachments": [REPORT]}),
    (GRAPH, "OUTLOOK_FIND", {"filter": "isRead eq false"}),
    (GRAPH, "OUTLOOK_EVENT", {**MEETING, "subject": "Standup", "location": "Hall", "guests": "ann@example.org"}),
    (GRAPH, "TEAMS_CHANNEL_MESSAGE", {"teamId": "t", "channelId": "c", "text": "hi"}),
    (GRAPH, "TEAMS_CHANNEL_MESSAGE", {"teamId": "t", "channelId": "c", "text": "hi", "replyTo": "m"}),
    (GRAPH, "TEAMS_CHAT_MESSAGE", {"chatId": "c", "text": "hi"}),
    (NOTION, "NOTION_QUERY", {"databaseId": "d", "filter": {}, "sorts": [{}]}),
    (NOTION, "NOTION_CREATE", {"databaseId": "d", "properties": {"Name": "Ann"}, "text": "Hi"}),
    (NOTION, "NOTION_CHANGE", {"pageId": "p", "properties": {"Done": True}}),
    (JIRA, "JIRA_CREATE", {"project": "S", "summary": "Bug", "description": "x", "fields": {"labels": ["a"]}}),
    (JIRA, "JIRA_COMMENT", {"issue": "S-1", "body": "ok"}),
    (JIRA, "JIRA_MOVE", {"issue": "S-1", "transition": "Done"}),
    (TELEGRAM, "TELEGRAM_MESSAGE", {"chatId": "42", "text": "hi", "format": "HTML", "silent": True}),
    *(
        (TELEGRAM, "TELEGRAM_FILE", {"chatId": "42", "file": REPORT, "caption": "x", "kind": kind})
        for kind in ("document", "photo", "audio", "video")
    ),
    *(
        (STRIPE, type_, {"kind": kind, **config})
        for kind in load_catalog().get("STRIPE_FIND").config_schema()["properties"]["kind"]["enum"]
        for type_, config in (
            ("STRIPE_FIND", {}),
            ("STRIPE_CREATE", {"values": {"metadata": {"order": 7}}}),
            ("STRIPE_CHANGE", {"id": "x", "values": {"metadata": {"order": 7}}}),
        )
    ),
]
NEWER = {"SLACK_FILE", "JIRA_FIND"}
"""Actions whose operations are newer than the descriptions that there are."""


@pytest.fixture(autouse=True)
def provider(answers: Callable[..., None]) -> None:
    """Answers of which the actions need some part."""
    answers("GET", "/gmail/v1/users/me/profile", {"emailAddress": "me@example.org"})
    answers("GET", "/gmail/v1/users/me/messages", {"messages": []})
    answers("GET", "/drive/v3/files", {"files": []})
    answers("GET", "/calendar/v3/calendars/primary/events", {"items": []})
    for cells in ("'Sheet1'", "'Orders'", "'Sheet1'!1:1"):
        answers("GET", f"/v4/spreadsheets/s1/values/{cells}", {"values": [["Name", "Age"], ["Ann", 3]]})
    answers("GET", "/repos/o/r/issues", [])
    answers("GET", "/me/mailFolders/inbox/messages", {"value": []})
    answers("POST", "/rest/api/2/issue", {"id": "1", "key": "S-1"})
    answers("GET", "/rest/api/2/issue/S-1/transitions", {"transitions": [{"id": "3", "name": "Done"}]})
    answers("GET", "/v1/databases/d", {"data_sources": [{"id": "s", "name": "Tasks"}]})
    answers("POST", "/v1/data_sources/s/query", {"results": []})


@pytest.mark.parametrize(
    ("published", "type_", "config"), CASES, ids=[f"{case[1]}-{n}" for n, case in enumerate(CASES)]
)
def test_what_an_action_asks_for_is_in_its_providers_description(
    published: Published, type_: str, config: JsonObject, step: Step, httpserver: HTTPServer
) -> None:
    step(type_, endpoint=httpserver.url_for(published.place), **config)
    assert received_by(httpserver)
    for request in received_by(httpserver):
        with request:
            assert list(differences(published, request)) == []


def test_every_action_of_these_providers_is_compared() -> None:
    compared = {type_ for _, type_, _ in CASES} | NEWER
    services = {load_catalog().get(type_).service for type_ in compared}
    assert [
        each.type for each in load_catalog().connectors() if each.service in services and each.type not in compared
    ] == []


def differences(published: Published, request: Received) -> Iterator[str]:
    """What the description does not know of a request, and what it asks for beyond that."""
    operation = operation_of(published.description, request.method, request.path.replace(*published.versions))
    parameters = {each.name: each for each in operation.parameters if each.place == "query"}
    given = {name.split("[")[0] for name in request.args} | published.of_signing
    yield from (f"?{name}" for name in given - parameters.keys() - published.of_signing)
    yield from (f"?{each.name} is required" for each in parameters.values() if each.required and each.name not in given)
    if request.mimetype != "multipart/related":
        yield from _differences_of_body(published, operation, request)


def _differences_of_body(published: Published, operation: Operation, request: Received) -> Iterator[str]:
    fields: Any = request.get_json() if request.is_json else [*request.form, *request.files]
    schema = form_schema(operation)["properties"].get("body", {})
    written = str.casefold if published.any_case else str
    known = {written(name) for name in schema.get("properties", ())}
    yield from (name for name in map(_topmost, fields or ()) if written(name) not in known)
    if published.is_exact and request.is_json:
        yield from (f"{problem.pointer} {problem.message}" for problem in find_problems(schema, fields))


def _topmost(name: str) -> str:
    """The field that a name in a form begins with: `metadata[order]`."""
    return name.split("[")[0]


def operation_of(description: Description, method: str, called: str) -> Operation:
    """The operation that a request calls, of those whose path has the fewest places."""
    path = called.removeprefix("/upload").removeprefix("/bot123:abc")
    found = [
        entry for entry in description.entries if entry.method == method and re.fullmatch(_pattern(entry.path), path)
    ]
    assert found, f"{description.title} has no {method} {path}"
    return description.operation(min(found, key=lambda entry: entry.path.count("{")).id)


def _pattern(path: str) -> str:
    """Microsoft's functions may be called without their namespace, and Google's paths begin at a service."""
    parts = re.split(r"(\{[^}]*\})", path.replace("/microsoft.graph.", "/").strip("/"))
    return "/(?:[a-z]+/v[0-9]/)?" + "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
