"""XML, HTML, Markdown and feeds: taken apart and made, from kind and hostile sources."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.file_values import InlineFile
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run

Do = Callable[..., Any]


@pytest.fixture
def do(context: StepContext) -> Do:
    step = replace(context, files=KeptFiles(), deadline=time.monotonic() + 120)
    return lambda type_, **config: run(type_, config, step)


ORDER = {
    "order": {
        "@id": "7",
        "@xmlns:x": "urn:x",
        "to": "Ada & Bob",
        "x:line": [{"@n": "1", "#text": "pen"}, "cup"],
        "note": "",
    }
}
XML = """<?xml version="1.0"?><!-- by hand -->
<order id="7" xmlns:x="urn:x"><to>Ada &amp; Bob</to><x:line n="1">pen</x:line>
<x:line><![CDATA[cup]]></x:line><note/></order>"""


def test_xml_becomes_an_object_and_xml_again(do: Do) -> None:
    assert do("READ_XML", source=XML)["value"] == ORDER
    text = do("WRITE_XML", value=ORDER)["text"]
    assert text.startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<order id="7" xmlns:x="urn:x"><to>Ada &amp; Bob</to>'
    )
    assert do("READ_XML", source=text)["value"] == ORDER


def test_an_element_may_be_a_list_even_where_there_is_one(do: Do) -> None:
    source = "<a><item>1</item><other>2</other></a>"
    assert do("READ_XML", source=source, lists=["item"])["value"] == {"a": {"item": ["1"], "other": "2"}}


def test_the_declared_charset_counts(do: Do) -> None:
    data = '<?xml version="1.0" encoding="iso-8859-1"?><a>grün</a>'.encode("iso-8859-1")
    assert do("READ_XML", source=InlineFile.named("a.xml", "text/xml", data).as_json())["value"] == {"a": "grün"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": 1, "b": 2}, "value: has to have one field"),
        ({"a": [1, 2]}, "value.a: XML has one root"),
        ({"a b": 1}, "'a b' is no name"),
        ({"a": {"@x>": 1}}, "'@x>' is no name"),
        ({"a": {"@x": {}}}, "cannot be objects or lists"),
    ],
)
def test_what_cannot_be_xml_is_told(do: Do, value: Any, told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do("WRITE_XML", value=value)
    assert told in str(caught.value)


def test_texts_are_safe_in_xml(do: Do) -> None:
    text = do("WRITE_XML", value={"a": {"@q": '"<', "b": "</a>\x00", "c": True, "d": None}})["text"]
    assert do("READ_XML", source=text)["value"] == {"a": {"@q": '"<', "b": "</a>\ufffd", "c": "true", "d": ""}}


SHOP = """<html><body><h1>Shop</h1><ul>
<li class="item new"><a href="/pen">Pen  <b>blue</b></a><span>2 €</span></li>
<li class="item"><a href="/cup">Cup</a></li></ul><script>x()</script></body></html>"""


def test_parts_of_a_page_are_extracted_by_selectors(do: Do) -> None:
    fields = [
        {"name": "title", "selector": "a"},
        {"name": "link", "selector": "a", "take": "attribute", "attribute": "href"},
        {"name": "price", "selector": "span"},
        {"name": "classes", "take": "attribute", "attribute": "class"},
    ]
    assert do("HTML", source=SHOP, each="li.item", fields=fields) == {
        "items": [
            {"title": "Pen blue", "link": "/pen", "price": "2 €", "classes": "item new"},
            {"title": "Cup", "link": "/cup", "price": None, "classes": "item"},
        ],
        "count": 2,
    }
    whole = [{"name": "links", "selector": "a", "all": True}, {"name": "h", "selector": "a b", "take": "html"}]
    assert do("HTML", source=SHOP, fields=whole)["items"] == [{"links": ["Pen blue", "Cup"], "h": "blue"}]


def test_html_becomes_text_and_markdown_and_markdown_html(do: Do) -> None:
    assert "x()" not in do("HTML", operation="text", source=SHOP)["text"]
    source = "<h1>Hi</h1><p>a <b>b</b> <a href='http://x.test/'>c</a></p><ul><li>1<li>2</ul>"
    markdown = do("HTML", operation="markdown", source=source)["text"]
    assert markdown.strip() == "# Hi\n\na **b** [c](http://x.test/)\n\n- 1\n- 2"
    back = do("HTML", operation="fromMarkdown", source=markdown)["html"]
    assert "<h1>Hi</h1>" in back
    assert '<a href="http://x.test/">c</a>' in back


def test_markdown_brings_no_script(do: Do) -> None:
    made = do("HTML", operation="fromMarkdown", source="<script>x</script> [a](javascript:alert(1))\n\n|a|\n|-|\n|1|")[
        "html"
    ]
    assert "<script>" not in made
    assert "href" not in made
    assert "<td>1</td>" in made


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"source": SHOP}, "fields: is required"),
        ({"source": SHOP, "fields": [{"name": "a", "take": "attribute"}]}, "attribute: is required"),
        ({"source": SHOP, "fields": [{"name": "a", "selector": "li["}]}, "invalid CSS selector"),
        ({"source": 5, "fields": [{"name": "a"}]}, "source: must be a text or a file"),
    ],
)
def test_what_cannot_be_extracted_is_told(do: Do, config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do("HTML", **config)
    assert told in str(caught.value)


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>http://n.test</link>
<item><title>One &amp; two</title><link>http://n.test/1</link><guid>g1</guid>
<pubDate>Wed, 04 Mar 2026 06:06:07 +0100</pubDate><description>&lt;b&gt;x&lt;/b&gt;</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><entry><title>Three</title><id>urn:3</id>
<link href="http://b.test/3"/><updated>2026-03-04T05:06:07Z</updated><author><name>Ada</name></author></entry></feed>"""


def test_feeds_of_both_kinds_give_the_same_shape(do: Do) -> None:
    rss, atom = do("READ_FEED", source=RSS), do("READ_FEED", source=ATOM)
    assert (rss["title"], rss["count"], atom["title"], atom["count"]) == ("News", 1, "Blog", 1)
    one, three = rss["entries"][0], atom["entries"][0]
    assert (one["id"], one["title"], one["link"]) == ("g1", "One & two", "http://n.test/1")
    assert (three["id"], three["title"], three["link"], three["author"]) == ("urn:3", "Three", "http://b.test/3", "Ada")
    assert one["published"] == three["published"] == "2026-03-04T05:06:07.000Z"


def test_a_feed_that_leaves_out_its_version_is_read(do: Do) -> None:
    unversioned = RSS.replace('<rss version="2.0">', "<rss>")
    assert do("READ_FEED", source=unversioned) == do("READ_FEED", source=RSS)


BOMB = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><a>&b;</a>"


@pytest.mark.parametrize(
    ("type_", "config", "told"),
    [
        ("READ_XML", {"source": BOMB}, "an entity is used that XML itself does not know"),
        (
            "READ_XML",
            {"source": "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"},
            "an entity is used that XML itself does not know",
        ),
        ("READ_XML", {"source": "<a>" * 1_000 + "</a>" * 1_000}, "nested more than 100 levels deep"),
        (
            "READ_XML",
            {"source": "<a><b></a>"},
            "an element is not closed, or closed by another's tag (line 1, column 9)",
        ),
        ("READ_XML", {"source": "no xml"}, "something beside the one element that holds all (line 1, column 1)"),
        ("READ_XML", {"source": ""}, "it is no XML that can be read: it is empty"),
        (
            "READ_XML",
            {"source": "<a>\n<b>fish & chips</b></a>"},
            "an & stands alone; as a text it is &amp; (line 2, column 9)",
        ),
        ("READ_FEED", {"source": "<html><p>no feed</html>"}, "it is neither RSS nor Atom"),
    ],
)
def test_hostile_and_broken_sources_end_in_a_clear_error(do: Do, type_: str, config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do(type_, **config)
    assert told in str(caught.value)
    assert caught.value.permanent


def test_deep_html_is_read_in_no_time(do: Do) -> None:
    deep = "<div>" * 100_000 + "end"
    assert do("HTML", operation="text", source=deep)["text"].strip() == "end"
    assert do("HTML", source=deep, fields=[{"name": "a", "selector": "div p"}])["items"] == [{"a": None}]
