"""The text that a person reads in an HTML mail, in one pass over it: pure, and linear whatever stands in it.

Python's `html.parser` takes quadratic time for tags that do not end, and parsers that build the tree for tags that are
nested deeply. Where a tag, a comment or a script does not end, nothing follows (HTML Standard, section 13.2.5).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TAG = re.compile(r"""</?([a-zA-Z][^\s/>]*+)(?:[^>"']|"[^"]*"|'[^']*')*+(>?)""")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<[!?/][^>]*+>?", re.DOTALL)
_UNREAD = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "title", "template")}
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"})


def text_of_html(source: str) -> str:
    """The lines that are not empty, with single blanks between words."""
    lines = (" ".join(line.split()) for line in "".join(_pieces(source)).splitlines())
    return "\n".join(line for line in lines if line)


def _pieces(source: str) -> Iterator[str]:
    at = 0
    while at < len(source):
        begin = source.find("<", at)
        yield html.unescape(source[at : begin if begin >= 0 else len(source)])
        if begin < 0:
            return
        piece, at = _skip_markup(source, begin)
        yield piece


def _skip_markup(source: str, begin: int) -> tuple[str, int]:
    """Returns what the markup at this `<` stands for in the text, and where it ends."""
    tag = _TAG.match(source, begin)
    if tag is None:
        other = _COMMENT.match(source, begin)
        return ("", other.end()) if other else ("<", begin + 1)
    name = tag[1].lower()
    if not tag[2]:
        return "", len(source)
    if name in _UNREAD and source[begin + 1] != "/":
        closing = _UNREAD[name].search(source, tag.end())
        return "", closing.start() if closing else len(source)
    return "\n" if name in _BLOCKS else "", tag.end()
