"""The text that a person reads in an HTML mail, and the links in it: linear, whatever stands there.

The markup is taken apart by the tokenizer of the HTML Standard (section 13.2.5). No tree is built: for tags that are
nested deeply, that takes parsers quadratic time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from turbohtml import Token, TokenType, tokenize

from flowforge.mail.links import Link

_UNREAD = frozenset({"script", "style", "title", "template", "noembed", "noframes"})
_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
    }
)  # fmt: skip
_CELLS = frozenset({"td", "th"})
_FOLLOWED = ("http://", "https://", "mailto:")
_LONGEST_URL = 8_000


@dataclass(frozen=True, slots=True)
class HtmlText:
    """The lines that are not empty, with single blanks between words, and the links, in order."""

    text: str
    links: tuple[Link, ...]


def read(source: str, *, with_urls: bool = False) -> HtmlText:
    """`with_urls`: the text shows behind each link where it leads."""
    reader = _Reader(with_urls)
    for token in tokenize(source):
        reader.take(token)
    return reader.finish()


class _Reader:
    def __init__(self, with_urls: bool) -> None:
        self._with_urls = with_urls
        self._pieces: list[str] = []
        self._links: list[Link] = []
        self._unread: str | None = None
        self._url = ""
        self._words_begin = 0

    def take(self, token: Token) -> None:
        if self._unread is not None:
            if token.type is TokenType.END_TAG and token.tag == self._unread:
                self._unread = None
        elif token.type is TokenType.TEXT:
            self._pieces.append(" ".join((token.data or "").splitlines()))
        elif token.type is TokenType.START_TAG:
            self._begin(token)
        elif token.type is TokenType.END_TAG:
            self._end(token.tag or "")

    def finish(self) -> HtmlText:
        self._end_link()
        return HtmlText(_lines(self._pieces), tuple(self._links))

    def _begin(self, tag: Token) -> None:
        name = tag.tag or ""
        if name in _UNREAD:
            self._unread = name
        elif name == "a":
            self._end_link()
            self._begin_link(tag.attr("href") or "")
        elif name == "img" and self._url:
            self._pieces.append(tag.attr("alt") or "")
        else:
            self._break_at(name)

    def _end(self, name: str) -> None:
        if name == "a":
            self._end_link()
        else:
            self._break_at(name)

    def _break_at(self, name: str) -> None:
        if name in _BLOCKS:
            self._pieces.append("\n")
        elif name in _CELLS:
            self._pieces.append(" ")

    def _begin_link(self, href: str) -> None:
        url = "".join(href.split())
        if url.lower().startswith(_FOLLOWED) and len(url) <= _LONGEST_URL:
            self._url, self._words_begin = url, len(self._pieces)

    def _end_link(self) -> None:
        if not self._url:
            return
        link = Link(self._url, " ".join("".join(self._pieces[self._words_begin :]).split()))
        self._links.append(link)
        shown = link.url.removeprefix("mailto:")
        if self._with_urls and link.text != shown:
            self._pieces.append(f" ({shown})")
        self._url = ""


def _lines(pieces: Iterable[str]) -> str:
    lines = (" ".join(line.split()) for line in "".join(pieces).splitlines())
    return "\n".join(line for line in lines if line)
