"""The application on real servers, and a standing cast: an owner, and a stranger who must not see their things."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flowforge.wiring import Backends
from webapp import create_app

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user. `headers` make a request theirs."""

    id: UUID
    username: str
    email: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@pytest.fixture
def app(backends: Backends) -> Flask:
    app = create_app(backends=backends)
    app.config["TESTING"] = False  # errors are answered as they would be in production
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Keeps no cookies: an API client."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def owner(client: FlaskClient) -> Person:
    return registered(client, "owner")


@pytest.fixture
def stranger(client: FlaskClient) -> Person:
    return registered(client, "stranger")


def registered(client: FlaskClient, name: str) -> Person:
    email = f"{name}@example.test"
    answer = client.post("/auth/register", json={"username": name, "email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    tokens = answer.json
    me = client.get("/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    return Person(UUID(me.json["id"]), name, email, tokens["access_token"], tokens["refresh_token"])
