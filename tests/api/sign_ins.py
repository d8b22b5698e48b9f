"""Signing in and renewing tokens, as clients do."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.people import PASSWORD


def login(client: FlaskClient, username: object, password: object = PASSWORD) -> Any:
    return client.post("/auth/login", json={"username": username, "password": password})


def refresh(client: FlaskClient, token: str) -> Any:
    return client.post("/auth/refresh-token", json={"refreshToken": token})
