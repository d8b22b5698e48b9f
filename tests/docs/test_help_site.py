"""The documentation as a site: all of it, and every link within it leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.language.filters.all_filters import FILTERS
from flowforge.settings import Settings
from flowforge.triggers.kinds import trigger_kinds
from scripts.help_reference import reference_pages
from scripts.help_site import ROOT, build, pages_in_navigation

_ABSOLUTE = re.compile(r"[a-z]+:|/|#$")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("help"))


def test_every_page_is_found_in_the_navigation() -> None:
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md")]
    written = {str(page.relative_to(ROOT / "docs")) for page in pages}
    made = {f"reference/{name}" for name in reference_pages()}
    assert set(pages_in_navigation()) == written | made | {"examples/README.md", "decisions/README.md"}


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d+-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(page.name for page in folder.glob("0*.md"))


def test_every_link_leads_to_a_page_and_its_section(site: Path) -> None:
    pages = {page: page.read_text() for page in site.rglob("*.html") if page.name != "404.html"}
    assert len(pages) > 50
    assert sorted(broken for page, text in pages.items() for broken in broken_links(page, text, pages)) == []


def broken_links(page: Path, text: str, pages: dict[Path, str]) -> Iterator[str]:
    for link in map(unescape, re.findall(r'(?:href|src)="?([^"> ]+)', text)):
        if _ABSOLUTE.match(link):
            continue
        path, _, anchor = link.partition("#")
        aim = (page.parent / unquote(path)).resolve() if path else page
        aim = aim / "index.html" if aim.is_dir() else aim
        if not aim.exists() or (anchor and aim in pages and f'id="{unquote(anchor)}"' not in pages[aim]):
            yield f"{page.parent.name}: {link}"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = [
        address
        for page in site.rglob("*.html")
        for address in re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="?(https?:[^"> ]+)', page.read_text())
    ]
    assert fetched == []


class TestTheReference:
    def test_holds_every_action_and_each_of_its_fields(self) -> None:
        page = reference_pages()["actions.md"]
        for action in load_catalog().connectors():
            section = page.partition(f"`{action.type}` · ")[2].partition("\n### ")[0]
            assert action.help in section
            for key in action.config.model_json_schema(by_alias=True)["properties"]:
                assert f"| `{key}` |" in section

    def test_holds_every_trigger_filter_and_setting(self) -> None:
        pages = reference_pages()
        assert [kind for kind in trigger_kinds() if f"`{kind}` · " not in pages["triggers.md"]] == []
        assert [name for name in FILTERS if f"| `{name}" not in pages["filters.md"]] == []
        assert [one for one in Settings.model_fields.values() if one.description not in pages["settings.md"]] == []
