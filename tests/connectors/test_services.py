"""The actions of services: what they ask for, and what they make of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response as Answer

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError
from flowforge.file_values import InlineFile
from flowforge.jsonio import JsonObject
from scripts.services_page import PAGE, with_tables
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.running import Step, received_by

REPORT = InlineFile("report.txt", "text/plain", b"all is well\n")
MAIL = "/gmail/v1/users/me"


class TestGmail:
    def test_a_mail_is_sent_with_all_who_get_it_and_its_files(
        self, step: Step, answers: Callable[..., None], httpserver: HTTPServer
    ) -> None:
        answers("GET", f"{MAIL}/profile", {"emailAddress": "me@example.org"})
        answers("POST", f"/upload{MAIL}/messages/send", {"id": "m9"})
        sent = step(
            "GMAIL_SEND", to="ann@example.org", bcc="eve@example.org", text="Hello", attachments=REPORT, threadId="t1"
        )
        assert sent == {"id": "m9"}
        request = received_by(httpserver)[-1]
        body = request.get_data().decode()
        assert request.mimetype == "multipart/related"
        assert '{"threadId":"t1"}' in body
        assert {"From: me@example.org", "To: ann@example.org", "Bcc: eve@example.org"} <= set(body.splitlines())
        assert "report.txt" in body

    def test_a_mail_is_read_with_texts_and_files(self, step: Step, answers: Callable[..., None]) -> None:
        text = {"mimeType": "text/plain", "headers": [{"name": "Content-Type", "value": "text/plain; charset=latin1"}]}
        payload = {
            "mimeType": "multipart/mixed",
            "headers": [{"name": "Subject", "value": "Grüße"}, {"name": "From", "value": "ann@example.org"}],
            "parts": [
                {"mimeType": "multipart/alternative", "parts": [{**text, "body": {"data": "R3L832U="}}]},
                {"mimeType": "text/csv", "filename": "a.csv", "body": {"attachmentId": "x1"}},
            ],
        }
        answers("GET", f"{MAIL}/messages/m1", {"id": "m1", "payload": payload})
        answers("GET", f"{MAIL}/messages/m1/attachments/x1", {"data": "MSwyCg=="})
        mail = step("GMAIL_READ", messageId="m1")
        assert (mail["subject"], mail["from"], mail["text"]) == ("Grüße", "ann@example.org", "Grüße")
        assert [(file["name"], file["size"]) for file in mail["attachments"]] == [("a.csv", 4)]

    def test_a_search_reads_as_many_pages_as_it_needs(
        self, step: Step, answers: Callable[..., None], httpserver: HTTPServer
    ) -> None:
        answers(
            "GET",
            f"{MAIL}/messages",
            {"messages": [{"id": "1"}, {"id": "2"}], "nextPageToken": "n"},
            {"messages": [{"id": "3"}]},
        )
        found = step("GMAIL_SEARCH", query="is:unread")
        assert [one["id"] for one in found["items"]] == ["1", "2", "3"]
        assert received_by(httpserver)[-1].args["pageToken"] == "n"


class TestSheets:
    @pytest.fixture(autouse=True)
    def a_sheet(self, answers: Callable[..., None]) -> None:
        answers("GET", "/s1/values/'Sheet1'", {"values": [["Name", "Age"], ["Ann", 3], ["Bob"]]})
        answers("GET", "/s1/values/'Sheet1'!1:1", {"values": [["Name", "Age"]]})

    def test_rows_are_objects_by_the_names_of_columns(self, step: Step) -> None:
        assert step("SHEETS_READ", spreadsheetId="s1")["rows"] == [
            {"rowNumber": 2, "Name": "Ann", "Age": 3},
            {"rowNumber": 3, "Name": "Bob", "Age": None},
        ]

    def test_rows_are_appended_under_their_names(self, step: Step, httpserver: HTTPServer) -> None:
        step("SHEETS_APPEND", spreadsheetId="s1", rows=[{"Age": 5, "Name": "Cid"}, {"Name": "Dan"}])
        request = received_by(httpserver)[-1]
        assert request.get_json() == {"values": [["Cid", 5], ["Dan", None]]}
        assert request.args["valueInputOption"] == "RAW"

    def test_a_column_that_is_not_there_is_named(self, step: Step) -> None:
        with pytest.raises(ConnectorError, match="there is no column 'Agee'; there are Name, Age"):
            step("SHEETS_APPEND", spreadsheetId="s1", rows={"Agee": 5})

    def test_rows_with_a_value_are_changed(self, step: Step, httpserver: HTTPServer) -> None:
        changed = step("SHEETS_UPDATE", spreadsheetId="s1", column="Name", value="Bob", changes={"Age": 9})
        assert changed == {"updated": 1, "rowNumbers": [3]}
        assert received_by(httpserver)[-1].get_json()["data"] == [{"range": "'Sheet1'!B3", "values": [[9]]}]

    def test_a_row_that_is_not_there_is_no_failure(self, step: Step) -> None:
        assert step("SHEETS_FIND", spreadsheetId="s1", column="Name", value="Zoe") == {"found": False, "row": None}


def test_a_file_of_a_drive_is_given_under_its_name(step: Step, answers: Callable[..., None]) -> None:
    answers("GET", "/drive/v3/files/d1", {"id": "d1", "name": "a.bin"}, Answer(b"\x00\x01", mimetype="image/png"))
    file = step("DRIVE_DOWNLOAD", fileId="d1")["file"]
    assert (file["name"], file["type"], file["size"]) == ("a.bin", "image/png", 2)


class TestSlack:
    def test_a_failure_that_comes_with_200_fails_the_step(self, step: Step, answers: Callable[..., None]) -> None:
        answers("POST", "/chat.postMessage", {"ok": False, "error": "channel_not_found"})
        with pytest.raises(ConnectorError, match="Slack refused: channel_not_found") as caught:
            step("SLACK_POST", channel="#x", text="hi")
        assert caught.value.permanent

    def test_a_file_is_put_where_slack_says_and_shared(
        self, step: Step, answers: Callable[..., None], httpserver: HTTPServer
    ) -> None:
        answers(
            "GET",
            "/files.getUploadURLExternal",
            {"ok": True, "upload_url": httpserver.url_for("/put"), "file_id": "F1"},
        )
        step("SLACK_FILE", channel="C1", file=REPORT)
        asked, put, done = received_by(httpserver)
        assert asked.args.to_dict() == {"filename": "report.txt", "length": "12"}
        assert (put.path, put.get_data(), put.headers.get("Authorization")) == ("/put", REPORT.content, None)
        assert done.get_json() == {"files": [{"id": "F1", "title": "report.txt"}], "channel_id": "C1"}

    def test_a_person_who_is_not_there_is_no_failure(self, step: Step, answers: Callable[..., None]) -> None:
        answers("GET", "/users.lookupByEmail", {"ok": False, "error": "users_not_found"})
        assert step("SLACK_USER", email="eve@example.org") == {"found": False, "user": None}

    def test_a_message_says_something(self, step: Step) -> None:
        with pytest.raises(ConnectorError, match="text or blocks are required"):
            step("SLACK_POST", channel="#x", text=" ")


def test_the_token_of_a_telegram_bot_stands_in_the_path(
    step: Step, answers: Callable[..., None], httpserver: HTTPServer
) -> None:
    answers("POST", "/bot123:abc/sendMessage", {"ok": True, "result": {"message_id": 7}})
    sent = step("TELEGRAM_MESSAGE", chatId="42", text="hi", replyTo=3)
    assert sent["result"] == {"message_id": 7}
    assert received_by(httpserver)[-1].get_json() == {
        "chat_id": "42",
        "text": "hi",
        "reply_parameters": {"message_id": 3},
    }


def test_a_transition_of_jira_is_found_by_its_name(
    step: Step, answers: Callable[..., None], httpserver: HTTPServer
) -> None:
    answers("GET", "/rest/api/2/issue/S-1/transitions", {"transitions": [{"id": "31", "name": "Done"}]})
    assert step("JIRA_MOVE", issue="S-1", transition="done") == {"issue": "S-1", "transition": "Done"}
    assert received_by(httpserver)[-1].get_json() == {"transition": {"id": "31"}}
    with pytest.raises(ConnectorError, match="S-1 has no transition 'Closed' now; it has Done"):
        step("JIRA_MOVE", issue="S-1", transition="Closed")


OTHERS: list[tuple[str, JsonObject, str, str, Any]] = [
    (
        "DISCORD_MESSAGE",
        {"channelId": "1", "content": "hi"},
        "POST",
        "/channels/1/messages",
        {"content": "hi", "allowed_mentions": {"parse": []}},
    ),
    (
        "TEAMS_CHANNEL_MESSAGE",
        {"teamId": "t", "channelId": "c", "text": "hi", "replyTo": "m"},
        "POST",
        "/teams/t/channels/c/messages/m/replies",
        {"body": {"contentType": "text", "content": "hi"}},
    ),
    (
        "TEAMS_CHAT_MESSAGE",
        {"chatId": "19:a@thread", "text": "hi"},
        "POST",
        "/chats/19:a@thread/messages",
        {"body": {"contentType": "text", "content": "hi"}},
    ),
    (
        "NOTION_CREATE",
        {"databaseId": "d", "dataSourceId": "s", "properties": {"Name": "Ann", "Age": 3}, "text": "Hi"},
        "POST",
        "/pages",
        {
            "parent": {"type": "data_source_id", "data_source_id": "s"},
            "properties": {"Name": {"title": [{"type": "text", "text": {"content": "Ann"}}]}, "Age": {"number": 3}},
            "children": [
                {
                    "object": "block",
                    "type": "paragraph",
                    "paragraph": {"rich_text": [{"type": "text", "text": {"content": "Hi"}}]},
                }
            ],
        },
    ),
    (
        "NOTION_CHANGE",
        {"pageId": "p", "properties": {"Done": True}},
        "PATCH",
        "/pages/p",
        {"properties": {"Done": {"checkbox": True}}},
    ),
    (
        "AIRTABLE_CREATE",
        {"baseId": "b", "table": "My table", "records": {"Name": "Ann"}},
        "POST",
        "/b/My table",
        {"records": [{"fields": {"Name": "Ann"}}]},
    ),
    (
        "AIRTABLE_CHANGE",
        {"baseId": "b", "table": "t", "mergeOn": ["Name"], "fields": {"Name": "Ann"}},
        "PATCH",
        "/b/t",
        {"records": [{"fields": {"Name": "Ann"}}], "performUpsert": {"fieldsToMergeOn": ["Name"]}},
    ),
    (
        "GITHUB_CREATE_ISSUE",
        {"owner": "o", "repository": "r", "title": "Bug", "labels": ["a"]},
        "POST",
        "/repos/o/r/issues",
        {"title": "Bug", "labels": ["a"]},
    ),
    (
        "GITHUB_COMMENT",
        {"owner": "o", "repository": "r", "number": 3, "body": "ok"},
        "POST",
        "/repos/o/r/issues/3/comments",
        {"body": "ok"},
    ),
    (
        "GITHUB_CHANGE_ISSUE",
        {"owner": "o", "repository": "r", "number": 3, "state": "closed"},
        "PATCH",
        "/repos/o/r/issues/3",
        {"state": "closed"},
    ),
    (
        "GITHUB_START_WORKFLOW",
        {"owner": "o", "repository": "r", "workflow": "deploy.yml"},
        "POST",
        "/repos/o/r/actions/workflows/deploy.yml/dispatches",
        {"ref": "main"},
    ),
    (
        "JIRA_CREATE",
        {"project": "S", "summary": "Bug"},
        "POST",
        "/rest/api/2/issue",
        {"fields": {"project": {"key": "S"}, "issuetype": {"name": "Task"}, "summary": "Bug"}},
    ),
    ("JIRA_COMMENT", {"issue": "S-1", "body": "ok"}, "POST", "/rest/api/2/issue/S-1/comment", {"body": "ok"}),
    (
        "HUBSPOT_SAVE",
        {"value": "a@b.c", "properties": {"firstname": "Ann"}},
        "POST",
        "/crm/v3/objects/contacts/batch/upsert",
        {"inputs": [{"id": "a@b.c", "idProperty": "email", "properties": {"firstname": "Ann", "email": "a@b.c"}}]},
    ),
    (
        "HUBSPOT_CREATE",
        {"objectType": "deals", "properties": {"dealname": "x"}},
        "POST",
        "/crm/v3/objects/deals",
        {"properties": {"dealname": "x"}},
    ),
    (
        "OUTLOOK_SEND",
        {"to": "ann@example.org", "subject": "Hi", "content": "Hello"},
        "POST",
        "/me/sendMail",
        {
            "message": {
                "subject": "Hi",
                "body": {"contentType": "Text", "content": "Hello"},
                "toRecipients": [{"emailAddress": {"name": "ann@example.org", "address": "ann@example.org"}}],
                "ccRecipients": [],
                "bccRecipients": [],
                "attachments": [],
            },
            "saveToSentItems": True,
        },
    ),
]


@pytest.mark.parametrize(("type_", "config", "method", "path", "body"), OTHERS, ids=[case[0] for case in OTHERS])
def test_an_action_asks_as_its_provider_documents_it(
    type_: str,
    config: JsonObject,
    method: str,
    path: str,
    body: Any,
    step: Step,
    answers: Callable[..., None],
    httpserver: HTTPServer,
) -> None:
    answers(method, path, {"id": "new"})
    assert step(type_, **config)
    request = received_by(httpserver)[-1]
    assert (request.method, unquote(request.path), request.get_json()) == (method, path, body)
    assert request.headers["Authorization"] == "Bearer 123:abc"


@pytest.mark.parametrize(
    ("type_", "config", "path", "pages", "last"),
    [
        ("GITHUB_LIST_ISSUES", {"owner": "o", "repository": "r"}, "/repos/o/r/issues", None, {"page": "2"}),
        (
            "AIRTABLE_LIST",
            {"baseId": "b", "table": "t"},
            "/b/t",
            ({"records": [1], "offset": "n"}, {"records": [2]}),
            {"offset": "n"},
        ),
        (
            "JIRA_FIND",
            {"jql": "a = b"},
            "/rest/api/2/search/jql",
            ({"issues": [1], "nextPageToken": "n"}, {"issues": [2]}),
            {"nextPageToken": "n"},
        ),
        ("OUTLOOK_FIND", {}, "/me/mailFolders/inbox/messages", None, {"$skip": "1"}),
    ],
)
def test_a_list_is_read_to_its_end(
    type_: str,
    config: JsonObject,
    path: str,
    pages: Any,
    last: JsonObject,
    step: Step,
    answers: Callable[..., None],
    httpserver: HTTPServer,
) -> None:
    link = httpserver.url_for(f"{path}?{'page=2' if type_.startswith('GITHUB') else '$skip=1'}")
    github = Answer("[1]", mimetype="application/json", headers={"Link": f'<{link}>; rel="next"'}), [2]
    outlook = {"value": [1], "@odata.nextLink": link}, {"value": [2]}
    answers("GET", path, *(pages or (github if type_.startswith("GITHUB") else outlook)))
    assert step(type_, **config)["items"] == [1, 2]
    assert last.items() <= received_by(httpserver)[-1].args.to_dict().items()


@pytest.mark.parametrize(
    ("type_", "config", "path"),
    [
        ("NOTION_QUERY", {"databaseId": "d", "dataSourceId": "s"}, "/data_sources/s/query"),
        ("HUBSPOT_FIND", {"property": "email", "value": "a@b.c"}, "/crm/v3/objects/contacts/search"),
    ],
)
def test_a_cursor_goes_in_the_body_where_the_search_does(
    type_: str, config: JsonObject, path: str, step: Step, answers: Callable[..., None], httpserver: HTTPServer
) -> None:
    first = {"results": [1], "next_cursor": "n", "paging": {"next": {"after": "n"}}}
    answers("POST", path, first, {"results": [2], "next_cursor": None})
    assert step(type_, **config)["items"] == [1, 2]
    assert "n" in received_by(httpserver)[-1].get_json().values()


class TestNotion:
    def test_the_only_data_source_of_a_database_is_meant(
        self, step: Step, answers: Callable[..., None], httpserver: HTTPServer
    ) -> None:
        answers("GET", "/databases/d", {"data_sources": [{"id": "s", "name": "Tasks"}]})
        answers("POST", "/data_sources/s/query", {"results": [1]})
        assert step("NOTION_QUERY", databaseId="d")["items"] == [1]
        assert {request.headers["Notion-Version"] for request in received_by(httpserver)} == {"2025-09-03"}

    @pytest.mark.parametrize(
        ("sources", "named"),
        [([], "none"), ([{"id": "s", "name": "A"}, {"id": "t", "name": "B"}], r"A \(s\), B \(t\)")],
    )
    def test_which_of_several_has_to_be_said(
        self, sources: list[JsonObject], named: str, step: Step, answers: Callable[..., None]
    ) -> None:
        answers("GET", "/databases/d", {"data_sources": sources})
        with pytest.raises(ConnectorError, match=f"dataSourceId has to say which .* it has {named}") as caught:
            step("NOTION_CREATE", databaseId="d", properties={"Name": "Ann"})
        assert caught.value.permanent


def test_values_for_stripe_are_a_form_with_brackets(
    step: Step, answers: Callable[..., None], httpserver: HTTPServer
) -> None:
    answers("POST", "/customers", {"id": "cus_1"})
    step("STRIPE_CREATE", values={"email": "a@b.c", "metadata": {"order": 7}})
    request = received_by(httpserver)[-1]
    assert request.form.to_dict() == {"email": "a@b.c", "metadata[order]": "7"}
    assert request.headers["Idempotency-Key"]


def test_an_answer_that_is_no_object_is_a_clear_error(step: Step, answers: Callable[..., None]) -> None:
    answers("POST", "/rest/api/2/issue", [1])
    with pytest.raises(ConnectorError, match="Jira answered with no JSON object"):
        step("JIRA_CREATE", project="S", summary="Bug")


def test_a_part_of_a_path_cannot_lead_elsewhere(
    step: Step, answers: Callable[..., None], httpserver: HTTPServer
) -> None:
    step("JIRA_COMMENT", issue="../../other?x", body="ok")
    assert received_by(httpserver)[-1].environ["RAW_URI"] == "/rest/api/2/issue/..%2F..%2Fother%3Fx/comment"


@pytest.mark.parametrize("type_", [action.type for action in load_catalog().connectors() if action.service])
def test_an_action_of_a_service_needs_a_connection(type_: str) -> None:
    found = load_catalog().get(type_)
    assert [problem.pointer for problem in found.problems({}, "")] == ["/connection"]


def test_the_page_of_services_has_the_actions_as_they_are_declared() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page), "python -m scripts.services_page writes it"
