"""Links that a mail shows to people."""

from __future__ import annotations

import re
from dataclasses import dataclass

_URL = re.compile(r"\bhttps?://[^\s<>\"\\^`{|}]++", re.IGNORECASE)
_AFTER_A_URL = ".,:;!?'*_"


@dataclass(frozen=True, slots=True)
class Link:
    """An address that can be followed, and the words that people click."""

    url: str
    text: str


def links_in_text(text: str) -> tuple[Link, ...]:
    """The addresses that stand in a text, without what ends the sentence around them."""
    urls = (_without_end(found[0]) for found in _URL.finditer(text))
    return tuple(Link(url, url) for url in urls)


def _without_end(url: str) -> str:
    url = url.rstrip(_AFTER_A_URL)
    closes_more = url.endswith(")") and url.count(")") > url.count("(")
    return url[:-1].rstrip(_AFTER_A_URL) if closes_more else url
