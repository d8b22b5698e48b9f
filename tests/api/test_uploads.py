"""Files sent to webhooks: large ones are kept outside of the payload, and nothing of them is held in memory."""

from __future__ import annotations

import hmac
import io
import tracemalloc
from contextlib import closing
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from flowforge.errors import TooLarge
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import accepted_events, trigger, workflow
from tests.files.described import described, inline
from tests.files.kept import content_of, count_files
from tests.people import Person
from tests.statements import counting_statements
from webapp.receiving.form_data import parse_form

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 200
SECRET = "quite a long secret"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"file_max_bytes": 8 * MEBIBYTE})


@pytest.mark.parametrize("content_type", ["application/pdf", "application/octet-stream", "", "x/y"])
def test_a_body_that_is_no_text(
    client: FlaskClient, address: str, engine: Engine, backends: Backends, content_type: str
) -> None:
    headers = {"Content-Disposition": 'attachment; filename="bill.pdf"'}
    assert client.post(address, data=PDF, content_type=content_type, headers=headers).status_code == 200
    (event,) = accepted_events(engine)
    file = event.payload["body"]
    assert file == {"id": file["id"], **described("bill.pdf", content_type or "application/octet-stream", PDF)}
    assert content_of(backends, file, event.id) == PDF


def test_parts_of_a_form(client: FlaskClient, address: str, engine: Engine, backends: Backends) -> None:
    sent = {"note": "hi", "scan": [(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(b"small"), "b.bin")]}
    assert client.post(address, data=sent).status_code == 200
    (event,) = accepted_events(engine)
    body = event.payload["body"]
    large, small = body["scan"]
    assert body["note"] == "hi"
    assert large == {"id": large["id"], **described("a.pdf", "application/pdf", PDF)}
    assert small == inline("b.bin", "application/octet-stream", b"small")
    assert content_of(backends, large, event.id) == PDF


def test_many_small_parts_do_not_fill_the_payload(client: FlaskClient, address: str, engine: Engine) -> None:
    part = b"\xff" * 30_000
    client.post(address, data={"f": [(io.BytesIO(part), f"{number}") for number in range(20)]})
    files = accepted_events(engine)[0].payload["body"]["f"]
    assert [("base64" in file) for file in files] == [True] * 8 + [False] * 12


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_text_is_no_larger_than_it_was(client: FlaskClient, address: str, engine: Engine, content_type: str) -> None:
    answer = client.post(address, data=b"x" * (MEBIBYTE + 1), content_type=content_type)
    assert (answer.status_code, answer.json["message"]) == (413, f"the body is larger than {MEBIBYTE} bytes")
    assert accepted_events(engine) == []


def test_texts_of_a_form_are_bounded(client: FlaskClient, address: str, engine: Engine) -> None:
    answer = client.post(address, data={"note": "x" * (MEBIBYTE + 1), "f": (io.BytesIO(b""), "f")})
    assert answer.status_code == 413
    assert "bytes of text" in answer.json["message"]
    assert accepted_events(engine) == []


@pytest.mark.parametrize("most_text_bytes", [1024, 20_000, 70_000])
def test_a_small_bound_on_texts_is_none_on_files(most_text_bytes: int) -> None:
    sent = {"note": "x" * 1024, "f": (io.BytesIO(PDF * 4), "a.pdf")}
    with Flask(__name__).test_request_context(method="POST", data=sent):
        body = io.BytesIO(request.get_data())
        with closing(parse_form(body, most_text_bytes)) as form:
            assert (form.texts["note"], form.files["f"].read()) == ("x" * 1024, PDF * 4)
        with pytest.raises(TooLarge):
            parse_form(body, 1023)


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_file_that_is_too_large(client: FlaskClient, address: str, engine: Engine, is_announced: bool) -> None:
    data = io.BytesIO(bytes(10 * MEBIBYTE))
    environ = {} if is_announced else {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    length = 10 * MEBIBYTE if is_announced else None
    answer = client.post(
        address, input_stream=data, content_length=length, content_type="application/pdf", environ_overrides=environ
    )
    assert answer.status_code == 413
    assert (accepted_events(engine), count_files(engine)) == ([], 0)


def test_a_part_that_is_too_large(client: FlaskClient, address: str, engine: Engine) -> None:
    sent = {"small": (io.BytesIO(PDF), "a.pdf"), "large": (io.BytesIO(bytes(8 * MEBIBYTE + 1)), "b")}
    answer = client.post(address, data=sent)
    assert answer.status_code == 413
    assert (accepted_events(engine), count_files(engine)) == ([], 0)


def test_a_repeat_keeps_nothing_twice(client: FlaskClient, address: str, engine: Engine) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = (client.post(address, data=PDF, content_type="application/pdf", headers=key) for _ in range(2))
    assert first.json["eventId"] == again.json["eventId"]
    assert client.post(address, data=PDF + b"x", content_type="application/pdf", headers=key).status_code == 409
    assert count_files(engine) == 1


def test_an_account_without_room_is_told(client: FlaskClient, address: str, owner: Person, engine: Engine) -> None:
    own = {"fileBytes": 100_000}
    client.put(f"/api/v1/admin/accounts/{owner.id}/quotas", json=own, headers=owner.headers)
    answers = [client.post(address, data=PDF, content_type="application/pdf") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "the files of the account" in answers[1].json["message"]
    assert (len(accepted_events(engine)), count_files(engine)) == (1, 1)


@pytest.mark.parametrize("kind", ["body", "part"])
def test_memory_does_not_grow_with_the_size(client: FlaskClient, address: str, kind: str) -> None:
    large = io.BytesIO(b"\xff" * (7 * MEBIBYTE))
    more: dict[str, Any] = {"content_type": "application/pdf", "content_length": 7 * MEBIBYTE, "input_stream": large}
    if kind == "part":
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        body = head + large.getvalue() + b"\r\n--b--\r\n"
        more = {
            "content_type": "multipart/form-data; boundary=b",
            "content_length": len(body),
            "input_stream": io.BytesIO(body),
        }
    client.post(address, data={"warm": "up"})
    tracemalloc.start()
    try:
        assert client.post(address, **more).status_code == 200
        assert tracemalloc.get_traced_memory()[1] < 3 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_small_calls_cost_no_further_statement(client: FlaskClient, address: str, backends: Backends) -> None:
    client.post(address, json={})
    with counting_statements(backends.engine) as statements:
        client.post(address, data=b"\xff" * 30_000, content_type="application/pdf")
    assert len(statements) == 1


class TestSignedBodies:
    """They are judged piece by piece, so they may be as large as files."""

    @pytest.fixture
    def hook(self, client: FlaskClient, owner: Person) -> dict[str, Any]:
        return trigger(client, owner, workflow(client, owner)["id"], configuration={"auth": "github", "secret": SECRET})

    def post(self, client: FlaskClient, address: str, data: bytes, signature: str) -> TestResponse:
        return client.post(
            address,
            input_stream=io.BytesIO(data),
            content_length=len(data),
            content_type="application/pdf",
            headers={"X-Hub-Signature-256": f"sha256={signature}"},
        )

    def test_may_be_large(self, client: FlaskClient, address: str, engine: Engine, backends: Backends) -> None:
        large = PDF * 100
        signature = hmac.digest(SECRET.encode(), large, "sha256").hex()
        assert self.post(client, address, b"warm up", signature).status_code == 401
        tracemalloc.start()
        try:
            assert self.post(client, address, large, signature).status_code == 200
            assert tracemalloc.get_traced_memory()[1] < 3 * MEBIBYTE
        finally:
            tracemalloc.stop()
        (event,) = accepted_events(engine)
        assert content_of(backends, event.payload["body"], event.id) == large
        again = self.post(client, address, large, signature)
        assert again.json["eventId"] == str(event.id)

    def test_that_are_forged_leave_nothing(self, client: FlaskClient, address: str, engine: Engine) -> None:
        large = PDF * 100
        signature = hmac.digest(SECRET.encode(), large[:-1], "sha256").hex()
        assert self.post(client, address, large, signature).status_code == 401
        assert self.post(client, address, large + bytes(9 * MEBIBYTE), signature).status_code == 413
        assert (accepted_events(engine), count_files(engine)) == ([], 0)
