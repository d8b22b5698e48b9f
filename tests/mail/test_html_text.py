"""The text and the links of HTML."""

from __future__ import annotations

import tracemalloc

import pytest

from flowforge.mail import html_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "<p>Please <a href='https://x.test/c?a=1&amp;b=2'>confirm</a></p>",
            "Please confirm (https://x.test/c?a=1&b=2)",
        ),
        ("<a href=https://x.test>https://x.test</a>", "https://x.test"),
        ("<a href=mailto:a@x.test>a@x.test</a>, <a href=mailto:b@x.test>Bob</a>", "a@x.test, Bob (b@x.test)"),
        ("<a href=#top>up</a>", "up"),
        ("<table><tr><td>a</td><td>1</td></tr><tr><td>b<td>2</table>", "a 1\nb 2"),
        ("a &lt; b &amp; c &euro;&#8203;", "a < b & c €\u200b"),
    ],
)
def test_a_text_can_show_where_its_links_lead(source: str, text: str) -> None:
    assert html_text.read(source, with_urls=True).text == text


@pytest.mark.parametrize("unread", ["script", "style", "title", "template", "noframes"])
def test_what_people_do_not_see_is_left_out(unread: str) -> None:
    assert html_text.read(f"a<{unread}>x<b>y</b> < & </{unread.upper()} >b").text == "ab"
    assert html_text.read(f"a<{unread}>never ends <p>b").text == "a"


@pytest.mark.parametrize("piece", ["<div>", "<a ", "<!--", "<b><p>", "<a href=http://x>"])
def test_memory_follows_the_size_of_the_source(piece: str) -> None:
    """No tree: that of tags nested deeply takes parsers hundreds of bytes for each."""

    def peak(count: int) -> int:
        source = piece * count
        tracemalloc.start()
        html_text.read(source)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(20_000) < 12 * peak(2_000)
