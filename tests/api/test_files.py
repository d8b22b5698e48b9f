"""Files leave the server to those who may read them, and never as something that runs on its pages."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient

from flowforge.file_values import StoredFile, shown_id
from flowforge.ids import uuid7
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import trigger, workflow
from tests.engine.pipeline import working
from tests.files.described import described, inline
from tests.people import Person

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 200
API = "/api/v1/files"


def kept(backends: Backends, owner: Person, type_: str = "application/pdf", name: str = "bill.pdf") -> StoredFile:
    return backends.files.keep(BytesIO(PDF), name, type_, owner=UUID(str(owner.id)), holder=uuid7())


def test_the_owner_reads_it(client: FlaskClient, owner: Person, stranger: Person, backends: Backends) -> None:
    file = kept(backends, owner)
    path = f"{API}/{shown_id(file.id)}"
    shown = client.get(path, headers=owner.headers)
    assert shown.json == {"id": shown_id(file.id), **described("bill.pdf", "application/pdf", PDF)}
    assert client.get(f"{path}/content", headers=owner.headers).data == PDF
    for headers, status in ((stranger.headers, 404), ({}, 401)):
        assert client.get(path, headers=headers).status_code == status
        assert client.get(f"{path}/content", headers=headers).status_code == status
        assert client.post(f"{path}/links", json={}, headers=headers).status_code == status


@pytest.mark.parametrize("name", ["file_17", "17", "file_" + "g" * 32, "file_" + "0" * 32])
def test_what_is_no_file_is_not_found(client: FlaskClient, owner: Person, name: str) -> None:
    assert client.get(f"{API}/{name}", headers=owner.headers).status_code == 404


@pytest.mark.parametrize(
    ("type_", "how"),
    [
        ("image/png", "inline"),
        ("application/pdf", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("text/html; charset=utf-8", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("text/javascript", "attachment"),
    ],
)
def test_only_what_runs_nothing_is_shown(
    client: FlaskClient, owner: Person, backends: Backends, type_: str, how: str
) -> None:
    file = kept(backends, owner, type_, 'Übersicht "1".x')
    answer = client.get(f"{API}/{shown_id(file.id)}/content", headers=owner.headers)
    assert answer.headers["Content-Disposition"].startswith(f"{how}; ")
    assert "filename*=UTF-8''%C3%9Cbersicht%20%221%22.x" in answer.headers["Content-Disposition"]
    assert answer.content_type == (type_ if how == "inline" else "application/octet-stream")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert ("sandbox" in answer.headers["Content-Security-Policy"]) is (type_ != "application/pdf")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_link_ends(client: FlaskClient, owner: Person, backends: Backends) -> None:
    file = kept(backends, owner)
    made = client.post(f"{API}/{shown_id(file.id)}/links", json={"seconds": 60}, headers=owner.headers)
    assert made.status_code == 201
    path = made.json["url"].removeprefix(backends.settings.public_webhook_base)
    assert client.get(path).data == PDF
    assert client.get(path[:-2] + "xx").status_code == 404
    with time_machine.travel(made.json["endsAt"], tick=False):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("seconds", [0, -1, 10**9, "soon"])
def test_a_link_has_an_end(client: FlaskClient, owner: Person, backends: Backends, seconds: Any) -> None:
    path = f"{API}/{shown_id(kept(backends, owner).id)}/links"
    answer = client.post(path, json={"seconds": seconds}, headers=owner.headers)
    assert answer.status_code == 400
    assert "/seconds" in answer.text


class TestAnswering:
    def _hook(self, client: FlaskClient, owner: Person, **config: Any) -> str:
        respond = {"type": "RESPOND", "config": {"body": "{{ trigger.body.f | default(trigger.body) }}", **config}}
        made = workflow(client, owner, actions=[respond])
        hook = trigger(client, owner, made["id"], configuration={"respond": "by a RESPOND step"})
        return f"/webhook/{hook['webhookToken']}"

    @pytest.mark.parametrize("data", [PDF, b"\x89PNG\xff small"], ids=["stored", "inline"])
    def test_a_workflow_gives_a_file_back(
        self, client: FlaskClient, owner: Person, backends: Backends, data: bytes
    ) -> None:
        hook = self._hook(client, owner)
        headers = {"Content-Disposition": 'attachment; filename="a.pdf"'}
        with working(backends):
            answer = client.post(hook, data=data, content_type="application/pdf", headers=headers)
        assert answer.data == data
        assert (answer.content_type, answer.content_length) == ("application/pdf", len(data))
        assert answer.headers["Content-Disposition"] == "inline; filename=a.pdf"
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    def test_its_own_headers_go_first(self, client: FlaskClient, owner: Person, backends: Backends) -> None:
        own = {"Content-Type": "application/x-own", "Content-Disposition": "attachment"}
        hook = self._hook(client, owner, headers=own, status=201)
        with working(backends):
            answer = client.post(hook, data=PDF, content_type="application/pdf")
        assert (answer.status_code, answer.content_type, answer.data) == (201, "application/x-own", PDF)
        assert answer.headers.getlist("Content-Disposition") == ["attachment"]

    def test_a_file_that_the_caller_only_names_is_not_given(
        self, client: FlaskClient, owner: Person, backends: Backends
    ) -> None:
        named = kept(backends, owner).as_json()
        hook = self._hook(client, owner)
        with working(backends):
            answer = client.post(hook, json={"f": named})
        assert answer.json == named

    @pytest.mark.parametrize(
        ("name", "type_", "left"),
        [
            ("a\r\nX-Own: 1", "text/plain", ('inline; filename="aX-Own: 1"', "text/plain")),
            ("a.txt", "text/html\r\nX-Own: 2", ("inline; filename=a.txt", "application/octet-stream")),
            ("ü\n.txt", "text/✅", ("inline; filename=u.txt; filename*=UTF-8''%C3%BC.txt", "application/octet-stream")),
        ],
    )
    def test_names_and_types_of_files_end_no_header(
        self, client: FlaskClient, owner: Person, backends: Backends, name: str, type_: str, left: tuple[str, str]
    ) -> None:
        hook = self._hook(client, owner)
        with working(backends):
            answer = client.post(hook, json={"f": {**inline("", "", b"abc"), "name": name, "type": type_}})
        assert (answer.status_code, answer.data) == (200, b"abc")
        assert (answer.headers["Content-Disposition"], answer.content_type) == left
        assert "X-Own" not in answer.headers


class TestSlowReaders:
    """A download holds a thread until all of it is taken."""

    LARGE = bytes(300 * 1024)

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"web_threads": 8})

    def keep(self, backends: Backends, owner: Person, data: bytes = LARGE) -> str:
        file = backends.files.keep(BytesIO(data), "a.bin", "x/y", owner=UUID(str(owner.id)), holder=uuid7())
        return f"{API}/{shown_id(file.id)}/content"

    def test_leave_threads_to_others(
        self, client: FlaskClient, owner: Person, stranger: Person, backends: Backends
    ) -> None:
        path, others = self.keep(backends, owner), self.keep(backends, stranger)
        slow = [client.get(path, headers=owner.headers) for _ in range(3)]
        assert [answer.status_code for answer in slow] == [200] * 3
        refused = client.get(path, headers=owner.headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        assert client.get(others, headers=stranger.headers).data == self.LARGE
        small = self.keep(backends, owner, b"small")
        assert client.get(small, headers=owner.headers).data == b"small"
        slow[0].close()
        assert client.get(path, headers=owner.headers).data == self.LARGE

    def test_of_links_count_for_the_owner(self, client: FlaskClient, owner: Person, backends: Backends) -> None:
        path = self.keep(backends, owner)
        link = client.post(path.replace("/content", "/links"), json={}, headers=owner.headers).json["url"]
        shared = link.removeprefix(backends.settings.public_webhook_base)
        slow = [client.get(shared) for _ in range(3)]
        assert client.get(shared).status_code == 503
        assert client.get(path, headers=owner.headers).status_code == 503
        for answer in slow:
            answer.close()

    def test_who_has_left_holds_nothing(self, client: FlaskClient, owner: Person, backends: Backends) -> None:
        path = self.keep(backends, owner)
        for _ in range(9):
            client.head(path, headers=owner.headers).close()
            client.get(path, headers=owner.headers).close()
        assert client.get(path, headers=owner.headers).data == self.LARGE
