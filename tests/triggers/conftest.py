"""A web application and its clients, as the tests of the API have them."""

from __future__ import annotations

from tests.api.conftest import app, client, owner, stranger

__all__ = ["app", "client", "owner", "stranger"]
