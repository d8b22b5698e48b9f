"""Descriptions that providers publish: every operation is an action with a form. Google's come with
google-api-python-client, the others by `scripts/fetch_descriptions.py`, as `make test` does."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bench.descriptions import FETCHED, google_folder
from flowforge.apis.answers import answer_shape
from flowforge.apis.description import Description
from flowforge.apis.form import form_schema
from flowforge.apis.paging import paging_guess
from flowforge.apis.reading import read_description
from flowforge.apis.requests import build_request
from flowforge.file_values import InlineFile

SOME = 20
"""Operations of a file that are tried: all of them in `bench.descriptions`."""


@cache
def read(file: Path) -> Description:
    if not file.exists():
        pytest.skip(f"{file.name} is fetched by scripts/fetch_descriptions.py")
    return read_description(file.read_bytes(), "https://example.com/openapi.json")


def google(name: str) -> Description:
    if find_spec("googleapiclient") is None:
        pytest.skip("google-api-python-client is not installed")
    return read(google_folder() / name)


def assert_some_have_forms(description: Description) -> None:
    step = max(1, len(description.entries) // SOME)
    for entry in description.entries[::step]:
        operation = description.operation(entry.id)
        assert form_schema(operation)["type"] == "object"
        answer_shape(operation)


@pytest.mark.parametrize("name", ["drive.v3.json", "gmail.v1.json", "sheets.v4.json", "calendar.v3.json"])
def test_googles_methods_are_operations(name: str) -> None:
    description = google(name)
    assert description.refused() == []
    assert description.sign_ins["oauth2"].flows[0].scopes
    assert_some_have_forms(description)


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("github.json", 1_223),
        ("stripe.json", 452),
        ("slack.json", 174),
        ("twilio.json", 195),
        ("kubernetes.json", 845),
        ("openai.json", 28),
        ("digitalocean.json", 290),
        ("jira.json", 499),
    ],
)
def test_all_operations_of_a_file_can_be_used(name: str, operations: int) -> None:
    description = read(FETCHED / name)
    assert len(description.entries) == operations
    assert description.refused() == []
    assert_some_have_forms(description)


def request_of(description: Description, id_: str, **input_: Any) -> tuple[str, str, Any]:
    operation = description.operation(id_)
    built = build_request(operation, input_, description.servers[0].address({}))
    body = b"".join(part for part in built.body.parts if isinstance(part, bytes)) if built.body else None
    return built.method, built.url, body


def test_a_row_is_appended_to_a_google_sheet() -> None:
    path = {"spreadsheetId": "s1", "range": "A1:B"}
    method, url, body = request_of(
        google("sheets.v4.json"),
        "spreadsheets.values.append",
        path=path,
        query={"valueInputOption": "USER_ENTERED"},
        body={"values": [["a", 1]]},
    )
    assert method == "POST"
    assert url == (
        "https://sheets.googleapis.com/v4/spreadsheets/s1/values/A1%3AB:append?valueInputOption=USER_ENTERED"
    )
    assert body == b'{"values":[["a",1]]}'


def test_a_file_goes_to_google_drive_with_its_name() -> None:
    file = InlineFile.named("cat.png", "image/png", b"png").as_json()
    _, url, body = request_of(
        google("drive.v3.json"),
        "files.create",
        contentType="multipart/related",
        body={"metadata": {"name": "cat"}, "file": file},
    )
    assert url == "https://www.googleapis.com/upload/drive/v3/files?uploadType=multipart"
    assert b'Content-Type: application/json\r\n\r\n{"name":"cat"}\r\n' in body
    assert b"Content-Type: image/png" in body


def test_an_issue_is_made_at_github() -> None:
    method, url, body = request_of(
        read(FETCHED / "github.json"),
        "issues-create",
        path={"owner": "o", "repo": "r"},
        body={"title": "Bug", "labels": ["a"]},
    )
    assert (method, url) == ("POST", "https://api.github.com/repos/o/r/issues")
    assert body == b'{"title":"Bug","labels":["a"]}'


def test_a_customer_is_made_at_stripe() -> None:
    _, url, body = request_of(
        read(FETCHED / "stripe.json"),
        "PostCustomers",
        body={"email": "a@b.c", "metadata": {"tier": "gold"}, "expand": ["tax"]},
    )
    assert url == "https://api.stripe.com/v1/customers"
    assert body == b"email=a%40b.c&metadata%5Btier%5D=gold&expand%5B0%5D=tax"


def test_pages_are_found_where_providers_have_them() -> None:
    for name, id_, kind in (
        ("github.json", "repos-list-for-org", "link_header"),
        ("stripe.json", "GetCustomers", "cursor"),
        ("slack.json", "conversations_list", "cursor"),
        ("twilio.json", "ListAccount", "next_link"),
        ("kubernetes.json", "listCoreV1NamespacedPod", "cursor"),
        ("digitalocean.json", "droplets_list", "page"),
    ):
        guess = paging_guess(read(FETCHED / name).operation(id_))
        assert guess is not None, name
        assert guess.kind == kind, name
