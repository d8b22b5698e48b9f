"""Repeated headers keep their values apart, from the sender to the stored event, through a real server."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from tests.api.things import accepted_events, trigger, workflow
from tests.services.stream_readers import WITHIN_SECONDS
from tests.services.web_server import Stage
from webapp.intake.headers import redact_headers


def stored_headers(stage: Stage, *sent: tuple[str, str]) -> dict[str, Any]:
    token = trigger(stage.client, stage.owner, workflow(stage.client, stage.owner)["id"])["webhookToken"]
    connection = http.client.HTTPConnection(urlsplit(stage.url).netloc, timeout=WITHIN_SECONDS)
    connection.putrequest("POST", f"/webhook/{token}")
    for name, value in (("Content-Length", "0"), *sent):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()
    headers: dict[str, Any] = accepted_events(stage.backends.engine)[-1].payload["headers"]
    return headers


def test_a_header_that_comes_more_than_once_is_a_list(stage: Stage) -> None:
    headers = stored_headers(stage, ("X-Tag", "1"), ("x-tag", "2, 3"), ("X-One", "a,b"))
    assert headers["x-tag"] == ["1", "2, 3"]
    assert headers["x-one"] == "a,b"


def test_secrets_and_what_is_dropped_stay_out(stage: Stage) -> None:
    sent = [(name, value) for name in ("Authorization", "X-User-Id") for value in ("hush", "hush-hush")]
    headers = stored_headers(stage, *sent)
    assert headers["authorization"] == "[redacted]"
    assert "x-user-id" not in headers


def test_another_server_joins_them() -> None:
    assert redact_headers(Headers({"X-Tag": "1,2"})) == {"x-tag": "1,2"}


def test_one_request_does_not_show_anothers(stage: Stage) -> None:
    stored_headers(stage, ("X-Tag", "1"), ("X-Tag", "2"))
    assert stored_headers(stage, ("X-Tag", "3"))["x-tag"] == "3"
