"""The texts that a page shows or says, read off its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_SILENT = frozenset({"code", "kbd", "pre", "samp", "script", "style", "textarea", "time"})
"""Elements with what somebody or a program wrote, and moments, which are formatted."""
_SAID = ("aria-label", "aria-description", "alt", "placeholder", "title", "label")
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAMES_OF_THE_FIELD = {"FlowForge", "n8n", "API", "APIs", "CSV", "GET", "HTTP", "HTTPS", "ID", "JSON", "POST", "SQL"}
_NAMES_OF_THE_FIELD |= {"UTC", "URL", "YAML", "OpenAPI", "OAuth"}
_UNITS = {"KB", "MB", "GB", "kB", "Bytes", "ms", "min"}
_NOT_TRANSLATED = _NAMES_OF_THE_FIELD | _UNITS


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._open: list[str] = []
        self._choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [given[name] or "" for name in _SAID if name in given]
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value") or "")
        if tag == "option":
            self._choice = given.get("value") or ""
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not _SILENT & {*self._open} and not self._is_value(data):
            self.texts.append(data)

    def _is_value(self, data: str) -> bool:
        """Whether it is a choice that is shown as the API knows it."""
        return self._open[-1:] == ["option"] and data.strip() == self._choice


def shown_texts(html: str) -> Iterator[str]:
    reader = _Reader()
    reader.feed(html)
    return (" ".join(text.split()) for text in reader.texts if text.strip())


def has_words(text: str) -> bool:
    """Whether there is anything to translate in it: a word that is no name and no unit."""
    return any(word not in _NOT_TRANSLATED for word in _WORD.findall(text))
