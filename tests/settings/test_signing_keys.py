"""Settings that would leave an instance open are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from flowforge.settings import Settings

NAMES = ("APPLICATION_SECURITY_JWT_SECRET_KEY", "JWT_SECRET")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "secret",
    [
        "too short",
        "dev-secret-key-please-change-dev-secret-key-please-change",
        "please-change-me-please-change-me-please",
        "CHANGEME-CHANGEME-CHANGEME-CHANGEME-CHANGEME",
    ],
)
def test_a_signing_key_that_everybody_knows_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, secret: str) -> None:
    monkeypatch.setenv(name, secret)
    with pytest.raises(ValidationError, match="published default"):
        Settings(_env_file=None)


@pytest.mark.parametrize("name", NAMES)
def test_one_of_ones_own_is_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "Kq8Zp1wT5vB7nM3xR9cL2jH6gF4dS0aY")
    assert Settings(_env_file=None).jwt_secret_setting is not None
