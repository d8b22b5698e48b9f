"""Machine code that is kept: taken only where nobody else can have written it, and whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from flowforge.code.javascript import compiled
from tests.code.running import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which it is kept."""
    monkeypatch.setattr(compiled, "_folder", tmp_path / "compiled")
    compiled._compile.cache_clear()
    return tmp_path / "compiled"


def kept_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_it_is_kept_for_the_processes_to_come(folder: Path) -> None:
    assert run("return 1") == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    assert kept_file(folder).stat().st_mode & 0o777 == 0o600
    with closing(compiled.new_engine()) as engine:
        assert compiled._load_kept(engine) is not None


def test_what_others_can_have_written_is_not_taken(folder: Path) -> None:
    run("return 1")
    kept_file(folder).chmod(0o620)
    with closing(compiled.new_engine()) as engine:
        assert compiled._load_kept(engine) is None
    assert run("return 1") == 1


def test_a_folder_that_others_can_write_to_is_not_looked_into(folder: Path) -> None:
    run("return 1")
    folder.chmod(0o777)
    with closing(compiled.new_engine()) as engine:
        assert compiled._load_kept(engine) is None


def test_what_was_cut_off_is_made_again(folder: Path) -> None:
    run("return 1")
    kept_file(folder).write_bytes(kept_file(folder).read_bytes()[:100_000])
    assert run("return 1") == 1


def test_where_nothing_can_be_kept_it_works_all_the_same(folder: Path) -> None:
    folder.write_text("in the way")
    assert run("return 1") == 1
