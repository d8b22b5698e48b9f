"""The pages of the documentation lead to what is there: other pages, files, folders, tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(page for page in ROOT.glob("*/README.md") if page.parent.name != "node_modules"),
    ]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))


def links(page: Path) -> Iterator[str]:
    """The relative ones, without what stands behind `#`."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            yield target.partition("#")[0]


def named_tests(page: str) -> Iterator[tuple[Path, list[str]]]:
    """Each `tests/a.py::TestB::test_c`, or its end where the file is that of the one before in the row: the file, and
    the names of the class and the test, as far as there are any."""
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        file = ROOT / "tests"
        for quoted in re.findall(r"`((?:tests/[\w/]+\.py|(?:::)?[Tt]est_?\w+)(?:::\w+)*)`", line):
            named, _, names = (
                quoted.partition("::") if quoted.startswith("tests/") else ("", "", quoted.removeprefix("::"))
            )
            file = ROOT / named if named else file
            yield file, [name for name in names.split("::") if name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_belongs_to_a_table_with_a_head(page: Path) -> None:
    """A blank line among the rows ends the table: what follows would be shown as it is written."""
    tables = re.findall(r"(?:^\|.*\n?)+", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [table for table in tables if not re.match(r"\|.*\|\n\|[-:| ]+\|\n", table)] == []


@pytest.mark.parametrize("page", ["architecture.md", "security.md"])
def test_promises_name_tests_that_exist(page: str) -> None:
    missing = [
        (str(file.relative_to(ROOT)), names)
        for file, names in named_tests(page)
        if not file.is_file() or not holds(file.read_text(encoding="utf-8"), names)
    ]
    assert missing == []


def holds(source: str, names: list[str]) -> bool:
    """Whether a class, and a test behind it, are defined there in this order."""
    return (
        re.search(".*".join(rf"^ *(?:def|class) {name}\b" for name in names), source, re.DOTALL | re.MULTILINE)
        is not None
    )


def test_every_invariant_names_a_test() -> None:
    assert len(list(named_tests("architecture.md"))) >= 9


def test_every_top_level_folder_says_what_it_is_for() -> None:
    folders = [
        "bench",
        "docs",
        "examples",
        "flowforge",
        "migrations",
        "scripts",
        "static",
        "templates",
        "tests",
        "webapp",
        "workers",
    ]
    assert [name for name in folders if not (ROOT / name / "README.md").is_file()] == []


def test_decisions_are_numbered_alike() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for page in DECISIONS:
        assert page.read_text(encoding="utf-8").startswith(f"# {int(page.name[:4])}. "), page.name
