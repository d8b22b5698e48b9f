"""Settings under the names that the originals' deployments have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError

from flowforge.settings import Settings, lifetime
from flowforge.wiring import Backends
from webapp import create_app

ACCESS = ("ACCESS_TOKEN_MINUTES", "JWT_EXPIRATION", "APPLICATION_SECURITY_JWT_EXPIRATION")
REFRESH = ("JWT_REFRESH_HOURS", "APPLICATION_SECURITY_JWT_REFRESH_TOKEN_EXPIRATION")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ACCESS + REFRESH:
        monkeypatch.delenv(name, raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("86400000", timedelta(days=1)),
        ("1d", timedelta(days=1)),
        ("15m", timedelta(minutes=15)),
        ("12 hours", timedelta(hours=12)),
        ("1.5H", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("600000ms", timedelta(minutes=10)),
    ],
)
def test_the_life_of_an_access_token(monkeypatch: pytest.MonkeyPatch, text: str, meant: timedelta) -> None:
    assert read(monkeypatch, JWT_EXPIRATION=text).access_token_lifetime == meant


def test_the_spring_versions_names_count(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        APPLICATION_SECURITY_JWT_EXPIRATION="3600000",
        APPLICATION_SECURITY_JWT_REFRESH_TOKEN_EXPIRATION="604800000",
    )
    assert (settings.access_token_lifetime, settings.refresh_token_lifetime) == (timedelta(hours=1), timedelta(days=7))


def test_the_nestjs_versions_names_count_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        JWT_EXPIRATION="2h",
        APPLICATION_SECURITY_JWT_EXPIRATION="3600000",
        JWT_REFRESH_HOURS="24",
        APPLICATION_SECURITY_JWT_REFRESH_TOKEN_EXPIRATION="604800000",
    )
    assert (settings.access_token_lifetime, settings.refresh_token_lifetime) == (timedelta(hours=2), timedelta(days=1))


def test_ours_counts_where_none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, ACCESS_TOKEN_MINUTES="30")
    assert (settings.access_token_lifetime, settings.refresh_token_lifetime) == (
        timedelta(minutes=30),
        timedelta(days=7),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_EXPIRATION", "soon"),
        ("JWT_EXPIRATION", "900"),  # milliseconds: somebody meant seconds
        ("JWT_EXPIRATION", "8d"),
        ("JWT_EXPIRATION", "999999999999999w"),
        ("JWT_REFRESH_HOURS", "10000"),
        ("APPLICATION_SECURITY_JWT_REFRESH_TOKEN_EXPIRATION", "1000"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(monkeypatch, **{name: value})
    assert [error["loc"] for error in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize("value", [True, None, 1.5])
def test_what_is_no_text_is_left_to_the_type(value: Any) -> None:
    assert lifetime(value) is value


def test_tokens_live_as_long_as_that(backends: Backends) -> None:
    backends.settings.jwt_expiration = timedelta(hours=2)
    client: FlaskClient = create_app(backends=backends).test_client()
    person = {"username": "ada", "email": "ada@example.test", "password": "correct horse battery"}
    token = client.post("/auth/register", json=person).json["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 7200
