"""A standing cast: an owner, a stranger who must not see their things, and a webhook of the owner's."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.things import trigger, workflow
from tests.people import Person, registered
from tests.services.smtp import Inbox


@pytest.fixture
def owner(client: FlaskClient) -> Person:
    return registered(client, "owner")


@pytest.fixture
def stranger(client: FlaskClient) -> Person:
    return registered(client, "stranger")


@pytest.fixture
def hook(client: FlaskClient, owner: Person) -> dict[str, Any]:
    return trigger(client, owner, workflow(client, owner)["id"])


@pytest.fixture
def address(hook: dict[str, Any]) -> str:
    return f"/webhook/{hook['webhookToken']}"


@pytest.fixture
def inbox() -> Inbox:
    """What a mail server of the test is sent, once it serves it."""
    return Inbox()
