"""Folders for whole installations."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowforge.embedded import postgres


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not below pytest's own folder: every pytest that starts closes that one to other users, PostgreSQL's among them.

    Removed at once, because a database takes 40 MB.
    """
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def blank_home() -> Iterator[Path]:
    """A home with a database that has never run; to be copied."""
    with _folder() as folder:
        postgres.prepare(folder)
        yield folder


@pytest.fixture
def home(tmp_path: Path, blank_home: Path) -> Path:
    return copy_of(blank_home, tmp_path / "home")


def copy_of(home: Path, place: Path) -> Path:
    """With owners and modes, as PostgreSQL insists on them."""
    subprocess.run(["cp", "-a", home, place], check=True)
    return place


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="flowforge-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
