"""Every text in a template is marked for translation, whatever page and case it is shown in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.ui.shown_texts import has_words, shown_texts

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_VALUE = " \N{OBJECT REPLACEMENT CHARACTER} "
_CODE = re.compile(r"{% (block width|set \w+) %}.*?{% end(block|set) %}|{% macro state.*?endmacro %}", re.DOTALL)
"""Blocks and macros that give the name of a style, or attributes."""
_EXCEPTIONS = frozenset(
    {
        "api/docs.html",  # the reference of the API is English, as the API is
    }
)


def unmarked(source: str) -> list[str]:
    """The texts that stand in a template itself, outside of `{% trans %}`."""
    return [text for text in shown_texts(_html_of(source)) if has_words(text)]


def _html_of(source: str) -> str:
    """The template without its tags; a value stands for each expression."""
    html, tag, translated = "", "", False
    for _, kind, token in Environment().lex(_CODE.sub("", source)):
        if kind == "block_begin":
            tag = ""
        elif kind == "name" and not tag:
            tag = token
        elif kind == "block_end":
            translated = tag in ("trans", "pluralize") or (translated and tag != "endtrans")
        elif kind == "variable_end":
            html += _VALUE
        elif kind == "data" and not translated:
            html += token
    return html


@pytest.mark.parametrize("path", sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")))
def test_all_its_texts_are_marked(path: str) -> None:
    if path not in _EXCEPTIONS:
        assert unmarked((TEMPLATES / path).read_text()) == []


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ _('Hello') }}</p>", []),
        ("<p>{% trans %}Hello <b>you</b>{% pluralize %}all{% endtrans %}</p> there", ["there"]),
        ("<input aria-label='Name' value='{{ x }}'>", ["Name"]),
        ('{% if x %}<b{% if y %} title="No"{% endif %}>{{ x }} s{% endif %}', ["No"]),
        ("<code>trigger</code> 100 % {# a comment #}", []),
    ],
)
def test_what_is_unmarked(source: str, texts: list[str]) -> None:
    assert unmarked(source) == texts
