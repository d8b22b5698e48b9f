"""Names that templates, scripts and style sheets share: no side names what another lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).parents[2]
STATIC = PROJECT / "static"
VENDOR = STATIC / "vendor"


def texts(folder: Path, pattern: str) -> Iterable[str]:
    return (path.read_text() for path in folder.rglob(pattern) if VENDOR not in path.parents)


def styled_classes() -> set[str]:
    sheets = [re.sub(r"(?s)/\*.*?\*/", "", sheet) for sheet in texts(STATIC, "*.css")]
    selectors = [selector for sheet in sheets for selector in re.findall(r"([^{};]+)\{", sheet)]
    return {name for selector in selectors if "@" not in selector for name in re.findall(r"\.([a-z][\w-]*)", selector)}


def classes_of_templates() -> set[str]:
    found: set[str] = set()
    for template in texts(PROJECT / "templates", "*.html"):
        for value in re.findall(r'class="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"', template):
            found |= set(chosen(value)) | set(re.sub(r"\{[{%].*?[%}]\}", " ", value).split())
        found |= set(re.findall(r"\{% block width %\}(\w+)", template))  # stands in a class attribute of layout.html
    return found


def chosen(value: str) -> Iterable[str]:
    """The strings of an expression that are its values, not those it compares with."""
    for expression in re.findall(r"\{\{(.*?)\}\}", value):
        yield from re.findall(r"'([\w-]+)'", re.sub(r"[!=]= '[\w-]*'", "", expression))


def classes_of_scripts() -> set[str]:
    scripts = "\n".join(texts(STATIC, "*.js"))
    return {
        name for names in re.findall(r'(?:className = |classList\.add\()"([^"]+)"', scripts) for name in names.split()
    }


def classes_of_views() -> set[str]:
    views = "\n".join(texts(PROJECT / "webapp", "*.py"))
    return {name for names in re.findall(r'class="([\w -]+)"', views) for name in names.split()}


def test_every_class_has_a_style_and_every_style_a_use() -> None:
    assert classes_of_templates() | classes_of_scripts() | classes_of_views() == styled_classes()


def test_icons_are_drawn_by_the_style_of_the_page() -> None:
    """A style of their own is forbidden by the policy that they are sent with, and Firefox heeds it."""
    assert "<style" not in (STATIC / "icons.svg").read_text()


def test_every_icon_is_drawn_and_used() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    templates = "\n".join(texts(PROJECT / "templates", "*.html"))
    assert set(re.findall(r'icon\("([\w-]+)"\)', templates)) <= drawn
    sources = [templates] + [text for folder in ("webapp", "flowforge") for text in texts(PROJECT / folder, "*.py")]
    strings = set(re.findall(r"""["']([a-z-]+)["']""", "\n".join(sources)))
    assert drawn <= strings
