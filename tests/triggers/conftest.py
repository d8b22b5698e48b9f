"""The standing cast of the tests of the API."""

from __future__ import annotations

from tests.api.conftest import owner, stranger

__all__ = ["owner", "stranger"]
