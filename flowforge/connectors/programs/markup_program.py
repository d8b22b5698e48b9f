"""Takes markup apart: XML, HTML, Markdown, feeds (RSS, Atom, JSON Feed). Only the predefined entities are known, and
nothing is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import turbohtml
from turbohtml import extract

from flowforge import charsets
from flowforge.connectors.programs import limits
from flowforge.markdown import html_of_markdown

_DEEPEST = 100
"""Levels of elements that JSON is made of."""
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


_XML_PROBLEMS = {
    "xml-no-root-element": "it is empty",
    "xml-content-outside-root": "there is something beside the one element that holds all",
    "xml-mismatched-tag": "an element is not closed, or closed by another's tag",
    "xml-unclosed-element": "an element is not closed",
    "xml-unclosed-start-tag": "a tag is not complete",
    "xml-undefined-entity": "an entity is used that XML itself does not know",
    "xml-unterminated-reference": "an & stands alone; as a text it is &amp;",
    "xml-unquoted-attribute": "an attribute's value is not in quotes",
    "xml-duplicate-attribute": "an attribute is there twice",
    "xml-expected-equals": "an attribute has no value",
    "xml-lt-in-attribute": "a < stands in an attribute; as a text it is &lt;",
    "xml-invalid-char": "there is a character that XML may not hold",
    "xml-invalid-name": "a name is wrong; as a text a < is &lt;",
    "xml-undeclared-namespace": "the prefix of a name is not declared",
    "xml-unterminated-cdata": "a CDATA section is not closed",
    "xml-unterminated-comment": "a comment is not closed",
}
_HEAD = 2_000
"""Characters in which a feed has its first element."""
_UNVERSIONED = re.compile(r"<rss(?=[\s>])(?![^>]*\bversion\s*=)")
_VERSIONED = '<rss version="2.0"'
"""The version is demanded (https://www.rssboard.org/rss-specification), and left out now and then."""
_EARLIER = re.compile(r"""(<rss\b[^>]*?\bversion\s*=\s*)(["'])0\.9\d?\2""")
"""RSS 0.91 to 0.94, which RSS 2.0 includes (https://www.rssboard.org/rss-history)."""


def work(request: dict[str, Any]) -> None:
    limits.answer_each([_WORK[request["do"]](Path(request["path"]).read_bytes(), request)])


# -- XML


def _xml(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    root = _root_of(data)
    return {root.tag: _value_of(root, frozenset(request["lists"]), 1)}


def _root_of(data: bytes) -> turbohtml.Element:
    try:
        document = turbohtml.parse_xml(_xml_text(data))
    except turbohtml.HTMLParseError as error:
        raise ValueError(f"it is no XML that can be read: {_xml_problem(error.error)}") from error
    return next(node for node in document.children if isinstance(node, turbohtml.Element))


def _xml_problem(error: turbohtml.ParseError) -> str:
    told = _XML_PROBLEMS.get(error.code, "there is a mistake")
    return f"{told} (line {error.line}, column {error.col + 1})"


def _xml_text(data: bytes) -> str:
    declared = _DECLARED.match(data)
    return charsets.decode(data, declared[1].decode() if declared else None)


def _value_of(element: turbohtml.Element, lists: frozenset[str], depth: int) -> Any:
    """A text where it has nothing else, else an object: `@name` for attributes, `#text` for text between elements."""
    if depth > _DEEPEST:
        raise ValueError(f"elements are nested more than {_DEEPEST} levels deep")
    value: dict[str, Any] = {f"@{name}": _plain(text) for name, text in element.attrs.items()}
    for child in element.children:
        if isinstance(child, turbohtml.Element):
            _add(value, child.tag, _value_of(child, lists, depth + 1), lists)
    text = "".join(child.data for child in element.children if isinstance(child, turbohtml.Text | turbohtml.CData))
    if not value:
        return text.strip()
    return value | ({"#text": text.strip()} if text.strip() else {})


def _add(value: dict[str, Any], name: str, inner: Any, lists: frozenset[str]) -> None:
    """A name that comes several times has a list."""
    if name not in value:
        value[name] = [inner] if name in lists else inner
    elif isinstance(value[name], list):
        value[name].append(inner)
    else:
        value[name] = [value[name], inner]


def _plain(attribute: Any) -> Any:
    return " ".join(attribute) if isinstance(attribute, list | tuple) else attribute


# -- HTML


def _extracted(data: bytes, request: dict[str, Any]) -> list[dict[str, Any]]:
    document = turbohtml.parse(data)
    parts = document.select(request["each"]) if request["each"] else [document]
    return [{field["name"]: _taken(part, field) for field in request["fields"]} for part in parts]


def _taken(part: Any, field: dict[str, Any]) -> Any:
    """What the first element that is found has, null where there is none; of `all` a list."""
    found = part.select(field["selector"]) if field["selector"] else [part]
    values = [_content(element, field) for element in (found if field["all"] else found[:1])]
    return values if field["all"] else next(iter(values), None)


def _content(element: Any, field: dict[str, Any]) -> Any:
    if field["take"] == "html":
        return element.inner_html
    if field["take"] == "attribute":
        return _plain(element.attrs.get(field["attribute"].lower()))
    return " ".join(element.text.split())


def _text(data: bytes, _: dict[str, Any]) -> str:
    return turbohtml.parse(data).to_text()


def _markdown(data: bytes, _: dict[str, Any]) -> str:
    return turbohtml.parse(data).to_markdown()


def _html_of_markdown(data: bytes, _: dict[str, Any]) -> str:
    return html_of_markdown(charsets.decode(data))


# -- feeds


def _feed(data: bytes, _: dict[str, Any]) -> dict[str, Any]:
    text = _xml_text(data)
    if text.lstrip().startswith("{"):
        return _json_feed(text)
    head = _EARLIER.sub(r'\1"2.0"', _UNVERSIONED.sub(_VERSIONED, text[:_HEAD], count=1), count=1)
    feed = extract.feed(head + text[_HEAD:])
    if feed is None:
        raise ValueError("it is neither RSS nor Atom nor a JSON Feed")
    return {
        "title": feed.title,
        "link": feed.link,
        "description": feed.description,
        "entries": [*_entries(feed)],
    }


def _entries(feed: turbohtml.Feed) -> Iterator[dict[str, Any]]:
    for entry in feed.entries:
        yield {
            "id": entry.id or entry.link or entry.title,
            "title": entry.title,
            "link": entry.link,
            "author": entry.author,
            "published": _time_of(entry.published or entry.updated),
            "updated": _time_of(entry.updated or entry.published),
            "summary": entry.summary,
            "content": entry.content,
        }


def _json_feed(text: str) -> dict[str, Any]:
    """JSON Feed (https://www.jsonfeed.org/version/1.1/)."""
    feed = json.loads(text)
    items = feed.get("items")
    if not isinstance(items, list):
        raise ValueError("it is no JSON Feed: it has no list of items")
    return {
        "title": feed.get("title"),
        "link": feed.get("home_page_url"),
        "description": feed.get("description"),
        "entries": [_json_entry(item) for item in items if isinstance(item, dict)],
    }


def _json_entry(item: dict[str, Any]) -> dict[str, Any]:
    published, updated = item.get("date_published"), item.get("date_modified")
    authors = item.get("authors") or [item.get("author")]
    first = authors[0] if isinstance(authors, list) else None
    return {
        "id": item.get("id") or item.get("url") or item.get("title"),
        "title": item.get("title"),
        "link": item.get("url") or item.get("external_url"),
        "author": first.get("name") if isinstance(first, dict) else None,
        "published": _time_of(published or updated),
        "updated": _time_of(updated or published),
        "summary": item.get("summary"),
        "content": item.get("content_html") or item.get("content_text"),
    }


def _time_of(written: Any) -> str | None:
    """In UTC, as ISO 8601; as it is written where it is no time."""
    if not isinstance(written, str) or not written:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(written.strip())
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        except (ValueError, OverflowError):
            continue
    return written


_WORK: Mapping[str, Callable[[bytes, dict[str, Any]], Any]] = {
    "xml": _xml,
    "extract": _extracted,
    "text": _text,
    "markdown": _markdown,
    "fromMarkdown": _html_of_markdown,
    "feed": _feed,
}


if __name__ == "__main__":
    limits.run(work)
