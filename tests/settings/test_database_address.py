"""The database's address, in the words of the originals and in our own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from flowforge.settings import Settings


def address(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str | None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None).postgres_url


@pytest.mark.parametrize(
    ("jdbc", "url"),
    [
        ("jdbc:postgresql://db:5432/flows", "postgresql://dev:p%40ss@db:5432/flows"),
        ("jdbc:postgresql:flows", "postgresql://dev:p%40ss@localhost/flows"),
        ("postgresql://ada:x@db/flows", "postgresql://ada:x@db/flows"),
        (
            "jdbc:postgresql://db/flows?sslmode=require&channelBinding=require&prepareThreshold=0",
            "postgresql://dev:p%40ss@db/flows?sslmode=require&channel_binding=require",
        ),
        ("jdbc:postgresql://db/flows?user=ada&password=x", "postgresql://db/flows?user=ada&password=x"),
    ],
)
def test_the_spring_versions_address_is_read(monkeypatch: pytest.MonkeyPatch, jdbc: str, url: str) -> None:
    assert address(monkeypatch, SPRING_DATASOURCE_URL=jdbc, SPRING_DATASOURCE_PASSWORD="p@ss") == url


def test_our_own_name_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = "postgresql://ours/flows", "jdbc:postgresql://theirs/flows"
    assert address(monkeypatch, POSTGRES_URL=ours, SPRING_DATASOURCE_URL=theirs) == ours


def test_an_address_of_another_database_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="SPRING_DATASOURCE_URL"):
        address(monkeypatch, SPRING_DATASOURCE_URL="jdbc:mysql://db/flows")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("FLOWFORGE_DATASOURCE_PARAMS", "sslmode=require&channelBinding=require"),
        ("POSTGRES_PARAMS", "sslmode=require&channel_binding=require"),
    ],
)
def test_parameters_are_read_in_either_spelling(monkeypatch: pytest.MonkeyPatch, name: str, parameters: str) -> None:
    parts = {"POSTGRES_HOST": "db:5432", "POSTGRES_PASSWORD": "x", name: parameters}
    expected = "postgresql://dev:x@db:5432/devdb?sslmode=require&channel_binding=require"
    assert address(monkeypatch, **parts) == expected
