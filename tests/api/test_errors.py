"""Every error has the one shape of the contract, and tells no more than it should."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from flowforge import errors, jsonio
from flowforge.errors import Problem
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import Person
from webapp import create_app
from webapp.context import session


def raises(app: Flask, error: Exception) -> Any:
    def view() -> None:
        raise error

    app.add_url_rule("/api/broken", view_func=view)
    return app.test_client().get("/api/broken")


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (errors.Invalid.at("/name", "is required"), 400, "Bad Request"),
        (errors.Unauthorized("who are you?"), 401, "Unauthorized"),
        (errors.NotFound("no such workflow"), 404, "Not Found"),
        (errors.Conflict("it changed"), 409, "Conflict"),
        (errors.TooLarge("more than 1 MB"), 413, "Content Too Large"),
        (errors.Unavailable("PostgreSQL does not answer"), 503, "Service Unavailable"),
    ],
)
def test_our_errors_have_the_contracts_shape(app: Flask, error: Exception, status: int, name: str) -> None:
    answer = raises(app, error)

    body = answer.json
    assert answer.status_code == body["status"] == body["statusCode"] == status
    assert body["error"] in {name, "Request Entity Too Large"}
    assert body["message"] == str(error)
    assert body["path"] == "/api/broken"
    assert abs(jsonio.parse_time(body["timestamp"]) - datetime.now(UTC)).total_seconds() < 60


def test_validation_lists_every_problem(app: Flask) -> None:
    answer = raises(app, errors.Invalid([Problem("/name", "is required"), Problem("/actions/0/type", "is unknown")]))

    assert answer.json["details"] == [
        {"pointer": "/name", "message": "is required"},
        {"pointer": "/actions/0/type", "message": "is unknown"},
    ]
    assert isinstance(answer.json["message"], str)


def test_what_may_pass_says_when_to_come_again(app: Flask) -> None:
    assert int(raises(app, errors.Unavailable("away")).headers["Retry-After"]) > 0


def test_a_surprise_tells_the_client_nothing_and_the_log_everything(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = raises(app, ZeroDivisionError("secret internals"))

    assert answer.status_code == 500
    assert "secret internals" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.json["message"]
    assert "secret internals" in caplog.text
    assert answer.headers["X-Request-Id"] in caplog.text


def test_a_failed_statement_logs_no_values(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def view() -> str:
        return str(session().scalar(text("SELECT CAST(:value AS integer) / 0"), {"value": 20_406_080}))

    app.add_url_rule("/api/statement", view_func=view)
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/api/statement")

    assert answer.status_code == 500
    assert "division by zero" in caplog.text
    assert "20406080" not in caplog.text


def test_redis_away_is_a_503(app: Flask) -> None:
    assert raises(app, RedisConnectionError("connection refused")).status_code == 503


def test_postgresql_away_is_a_503(settings: Settings, owner: Person) -> None:
    away = settings.model_copy(update={"postgres_url_setting": "postgresql://u:p@/db?host=/nowhere"})
    backends = Backends(away, "test")
    answer = create_app(backends=backends).test_client().get("/auth/me", headers=owner.headers)
    backends.close()

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "nowhere" not in answer.text


def test_an_unknown_path_is_a_404_before_anybody_asks_who_you_are(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer.json["message"] == "there is nothing at this address"


def test_a_wrong_method_is_a_405_that_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/auth/login")

    assert answer.status_code == answer.json["status"] == 405
    assert "POST" in answer.headers["Allow"]


def test_a_malformed_id_is_a_400(client: FlaskClient, owner: Person) -> None:
    for malformed in ("7", "me", "{" + str(owner.id) + "}", str(owner.id).replace("-", ""), str(owner.id) + "0", "%00"):
        answer = client.get(f"/api/v1/workflows/{malformed}", headers=owner.headers)

        assert answer.status_code == answer.json["status"] == 400
        assert "UUID" in answer.json["message"]


def test_ids_may_be_written_in_capitals(client: FlaskClient, owner: Person) -> None:
    answer = client.get(f"/api/v1/workflows/{str(owner.id).upper()}", headers=owner.headers)

    assert answer.status_code == 404


def test_malformed_json_is_answered_with_its_position(client: FlaskClient) -> None:
    answer = client.post("/auth/login", data='{"username": "ada",\n oops}', content_type="application/json")

    assert answer.status_code == 400
    assert "line 2, column 2" in answer.json["message"]
    assert answer.json["details"][0]["pointer"] == ""


def test_json_that_is_no_object_is_refused(client: FlaskClient) -> None:
    for body in ("[]", "null", '"text"', "7", "true", '{"a": NaN}', "", "\ufeff{}", "[" * 5_000, '{"a": "\\ud800"}'):
        answer = client.post("/auth/login", data=body.encode(), content_type="application/json")

        assert answer.status_code == 400, body[:20]
        assert answer.json["message"]


def test_bytes_that_are_no_utf_8_are_refused(client: FlaskClient) -> None:
    answer = client.post("/auth/login", data=b'{"username": "\xff"}', content_type="application/json")

    assert answer.status_code == 400


def test_a_body_that_is_not_called_json_is_a_415(client: FlaskClient) -> None:
    answer = client.post("/auth/login", data="username=ada", content_type="application/x-www-form-urlencoded")

    assert answer.status_code == answer.json["status"] == 415
    assert "application/json" in answer.json["message"]


def test_a_body_that_is_too_large_is_a_413(client: FlaskClient) -> None:
    answer = client.post("/auth/login", json={"username": "a" * 20_000, "password": "b"})

    assert answer.status_code == answer.json["status"] == 413


def test_a_refused_value_is_not_sent_back(client: FlaskClient) -> None:
    answer = client.post("/auth/login", json={"username": "ada", "password": ["my secret"]})

    assert answer.status_code == 400
    assert "my secret" not in answer.text


class TestPeopleWithBrowsers:
    BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    def test_get_a_page(self, client: FlaskClient) -> None:
        answer = client.get("/nothing", headers={"Accept": self.BROWSER})

        assert answer.status_code == 404
        assert answer.mimetype == "text/html"
        assert "there is nothing at this address" in answer.text.lower()

    def test_get_json_from_the_api_all_the_same(self, client: FlaskClient) -> None:
        assert client.get("/api/v1/nothing", headers={"Accept": self.BROWSER}).is_json
        assert client.get("/auth/me", headers={"Accept": self.BROWSER}).is_json

    def test_other_clients_get_json_everywhere(self, client: FlaskClient) -> None:
        for accept in ("*/*", "application/json", ""):
            assert client.get("/nothing", headers={"Accept": accept}).is_json

    def test_a_page_shows_what_a_path_says_as_text(self, client: FlaskClient) -> None:
        answer = client.get("/<script>alert(1)</script>", headers={"Accept": self.BROWSER})

        assert "<script>alert" not in answer.text
