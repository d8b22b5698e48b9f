"""A browser's worth of client: keeps cookies, fills in the forms' hidden token."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.people import PASSWORD


class Browser:
    """Follows no redirect on its own, so that tests see them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html"}, buffered=True)

    def send(self, path: str, form_on: str, **fields: Any) -> TestResponse:
        """Posts a form that stands on the page `form_on`."""
        return self.post(path, csrf_token=self.token(form_on), **fields)

    def token(self, form_on: str) -> str:
        """The one of the forms on that page."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(form_on).text)
        assert token, f"no form on {form_on}"
        return token[1]

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data=fields, headers={"Accept": "text/html"})


@pytest.fixture
def visitor(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def signed_up(app: Flask) -> Callable[[str], Browser]:
    """A browser in which somebody of that name has just registered."""

    def sign_up(name: str) -> Browser:
        browser = Browser(app.test_client())
        answer = browser.send("/register", "/register", username=name, email=f"{name}@example.test", password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return browser

    return sign_up


@pytest.fixture
def ada(signed_up: Callable[[str], Browser]) -> Browser:
    return signed_up("ada")
