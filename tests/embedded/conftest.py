"""Folders for whole installations."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowforge.embedded import postgres
from tests.services.folders import temporary_folder

PREFIX = "flowforge-test-"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Removed at once, because a database takes 40 MB."""
    with temporary_folder(PREFIX) as folder:
        yield folder


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    with temporary_folder(PREFIX) as folder:
        yield folder


@pytest.fixture(scope="module")
def blank_home() -> Iterator[Path]:
    """A home with a database that has never run; to be copied."""
    with temporary_folder(PREFIX) as folder:
        postgres.prepare(folder)
        yield folder


@pytest.fixture
def home(tmp_path: Path, blank_home: Path) -> Path:
    return copy_of(blank_home, tmp_path / "home")


def copy_of(home: Path, place: Path) -> Path:
    """With owners and modes, as PostgreSQL insists on them."""
    subprocess.run(["cp", "-a", home, place], check=True)
    return place
