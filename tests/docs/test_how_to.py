"""docs/how-to: the definition on each page is that of the template it names, which tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowforge.ascode import yaml_reader
from flowforge.onboarding.gallery import templates
from flowforge.onboarding.template import Template

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
PARTS = ["What you need", "Step by step", "The definition", "What to change", "When something fails"]

each_page = pytest.mark.parametrize(
    "text", [page.read_text(encoding="utf-8") for page in PAGES], ids=[page.stem for page in PAGES]
)


def template_of(text: str) -> Template:
    """The one whose title stands before the definition."""
    [title] = re.findall(r"The template “([^”]+)”, as", text)
    return next(one for one in templates().values() if one.title == title)


def test_there_are_twelve_and_the_index_lists_them() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [page.name for page in PAGES]
    assert len({template_of(page.read_text(encoding="utf-8")).name for page in PAGES}) == 12


@each_page
def test_its_definition_is_the_templates(text: str) -> None:
    [written] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert yaml_reader.read(written).plain() == template_of(text).definition


@each_page
def test_it_names_the_template_and_the_fields_as_the_dashboard_does(text: str) -> None:
    chosen = template_of(text)
    assert f"**Templates**, and choose “{chosen.title}”" in text
    assert [field.label for field in chosen.fields if f"**{field.label}**" not in text] == []


@each_page
def test_it_has_all_parts(text: str) -> None:
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
