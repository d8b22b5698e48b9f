"""The access log: a line of JSON for each request, without secrets, and without making a request wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import trigger, workflow
from tests.people import registered
from tests.waiting import eventually
from webapp import create_app
from webapp.access_log import LineWriter


class Output:
    def __init__(self) -> None:
        self.text = ""

    def write(self, lines: bytes) -> None:
        self.text += lines.decode()

    def lines(self, number: int) -> list[dict[str, Any]]:
        """The first so many, once they are there."""
        eventually(lambda: self.text.count("\n") >= number)
        return [json.loads(line) for line in self.text.splitlines()[:number]]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    output = Output()
    monkeypatch.setattr("webapp.access_log._write", output.write)
    return output


@pytest.fixture
def logged(settings: Settings, output: Output) -> Iterator[FlaskClient]:
    """A client of an application that writes one."""
    backends = Backends(settings.model_copy(update={"access_log": True}), "test")
    yield create_app(backends=backends).test_client(use_cookies=False)
    backends.close()


def test_a_line_names_request_account_route_status_and_address(logged: FlaskClient, output: Output) -> None:
    owner = registered(logged, "owner")
    answer = logged.get("/api/v1/workflows?size=3", headers=owner.headers)

    registration, _, listing = output.lines(3)

    assert listing["requestId"] == answer.headers["X-Request-Id"]
    assert (listing["method"], listing["route"], listing["status"]) == ("GET", "/api/v1/workflows", 200)
    assert (listing["account"], listing["address"]) == (str(owner.id), "127.0.0.1")
    assert listing["milliseconds"] >= 0
    assert (registration["route"], registration["account"]) == ("/auth/register", None)


def test_what_is_refused_has_a_line_too(logged: FlaskClient, output: Output) -> None:
    logged.get("/nowhere/at-all", headers={"X-Request-Id": "my-own"})
    logged.get("/auth/me", headers={"Host": "elsewhere.example"})

    nowhere, elsewhere = output.lines(2)

    assert (nowhere["status"], nowhere["route"], nowhere["requestId"]) == (404, None, "my-own")
    assert elsewhere["status"] == 421


def test_no_secret_of_an_address_stands_in_it(logged: FlaskClient, output: Output) -> None:
    owner = registered(logged, "owner")
    hook = trigger(logged, owner, workflow(logged, owner)["id"])
    logged.post(f"/webhook/{hook['webhookToken']}?token=hidden", json={"password": "hidden"})
    logged.get("/invitations/hidden")
    logged.get("/hidden?api_key=hidden")

    assert output.lines(7)[4]["route"] == "/webhook/<path:token>"
    assert hook["webhookToken"] not in output.text
    assert "hidden" not in output.text
    assert owner.access_token not in output.text


def test_there_is_none_unless_it_is_wanted(client: FlaskClient, output: Output) -> None:
    client.get("/auth/me")

    assert output.text == ""


def test_no_request_waits_for_whoever_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.access_log.MOST_WAITING", 10)
    may_go_on, written = threading.Event(), []

    def hang(lines: bytes) -> None:
        may_go_on.wait()
        written.append(lines)

    writer = LineWriter(hang)
    for _ in range(100):
        writer.add(b"a line\n")
    assert written == []
    may_go_on.set()
    eventually(lambda: b"".join(written).count(b"\n") >= 10)
