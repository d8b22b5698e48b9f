"""Workflows are started by hand with files, as webhooks start them: in a form, beside the payload."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import WORKFLOWS, accepted_events, workflow
from tests.files.described import described, inline
from tests.files.kept import content_of, count_files
from tests.people import Person

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 200
MEBIBYTE = 1024 * 1024


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"file_max_bytes": 8 * MEBIBYTE})


def run(client: FlaskClient, owner: Person, query: str = "", **form: Any) -> TestResponse:
    path = f"{WORKFLOWS}/{workflow(client, owner)['id']}/run{query}"
    return client.post(path, data=form, headers=owner.headers, content_type="multipart/form-data")


@pytest.mark.parametrize("query", ["", "?draft=true"])
def test_files_stand_beside_the_payload(
    client: FlaskClient, owner: Person, engine: Engine, backends: Backends, query: str
) -> None:
    files = [(BytesIO(PDF), "a.pdf"), (BytesIO(b"small"), "b.bin")]
    started = run(client, owner, query, payload='{"n": 1}', note="hi", scans=files)
    assert started.status_code == 202, started.text
    (event,) = accepted_events(engine)
    assert event.id == UUID(started.json["eventId"])
    large, small = event.payload.pop("scans")
    assert event.payload == {"n": 1, "note": "hi"}
    assert large == {"id": large["id"], **described("a.pdf", "application/pdf", PDF)}
    assert small == inline("b.bin", "application/octet-stream", b"small")
    assert content_of(backends, large, event.id) == PDF


def test_a_name_with_dots_leads_inside(client: FlaskClient, owner: Person, engine: Engine) -> None:
    payload = json.dumps({"body": {"n": 1}})
    assert run(client, owner, payload=payload, **{"body.scan": (BytesIO(b"x"), "x.txt")}).status_code == 202
    (event,) = accepted_events(engine)
    assert event.payload == {"body": {"n": 1, "scan": inline("x.txt", "text/plain", b"x")}}


@pytest.mark.parametrize(
    ("payload", "name", "said"),
    [
        ('{"f": 1}', "f", "/f: is in the payload already"),
        ('{"f": 1}', "f.g", "/f/g: cannot be added: f is no object"),
        ("{}", "a" + ".a" * 20, "is a name with more than 20 parts"),
        ("[1]", "f", "the payload must be a JSON object"),
        ('{"f"', "f", "the payload is not JSON: "),
    ],
)
def test_what_does_not_fit_together_is_told(
    client: FlaskClient, owner: Person, engine: Engine, payload: str, name: str, said: str
) -> None:
    refused = run(client, owner, payload=payload, first=(BytesIO(PDF), "a.pdf"), **{name: (BytesIO(PDF), "b.pdf")})
    assert refused.status_code == 400
    assert said in refused.json["message"]
    assert (accepted_events(engine), count_files(engine)) == ([], 0)


def test_what_is_too_large_is_refused(client: FlaskClient, owner: Person, engine: Engine) -> None:
    for size in (9 * MEBIBYTE, 13 * MEBIBYTE):
        refused = run(client, owner, file=(BytesIO(bytes(size)), "a.bin"))
        assert refused.status_code == 413
    assert (accepted_events(engine), count_files(engine)) == ([], 0)


def test_a_workflow_that_is_not_there_keeps_nothing(
    client: FlaskClient, owner: Person, stranger: Person, engine: Engine
) -> None:
    path = f"{WORKFLOWS}/{workflow(client, owner)['id']}/run"
    form = {"file": (BytesIO(PDF), "a.pdf")}
    refused = client.post(path, data=form, headers=stranger.headers, content_type="multipart/form-data")
    assert (refused.status_code, count_files(engine)) == (404, 0)


def test_a_dry_run_keeps_nothing(client: FlaskClient, owner: Person, engine: Engine) -> None:
    shown = run(client, owner, "?dryRun=true", file=(BytesIO(PDF), "a.pdf"))
    assert (shown.status_code, count_files(engine)) == (200, 0)
