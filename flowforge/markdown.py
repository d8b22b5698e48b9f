"""Markdown (CommonMark, with tables and strikethrough) as HTML that is safe to show: tags that stand in it are text,
and links lead to no script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # where it is used it is imported, since few need it
    from markdown_it import MarkdownIt

_HEADING = "h3"


def html_of_markdown(text: str) -> str:
    return str(_parser().render(text))


def html_of_note(text: str) -> str:
    """The HTML of a note, as a part of a page: it fetches no pictures, and its headings are below those of the page."""
    parser = _parser(with_images=False)
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADING
    return str(parser.renderer.render(tokens, parser.options, {}))


@cache
def _parser(*, with_images: bool = True) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser if with_images else parser.disable("image")
