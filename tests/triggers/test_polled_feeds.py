"""Feeds that are polled: each entry starts the workflow once, and what has not changed is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from flowforge.triggers.kinds import find_kind
from flowforge.wiring import Backends
from tests.services.serving import JsonExchange, JsonServer, serving
from tests.triggers.registrations import change, events, register, trigger
from tests.triggers.test_polled_actions import age, remembered
from workers.polls import run_poll


def rss(*numbers: int) -> str:
    items = "".join(f"<item><title>News {n}</title><guid>g{n}</guid></item>" for n in numbers)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'


@dataclass
class Sent:
    body: str = ""
    statuses: list[int] = field(default_factory=list)


class Site(JsonServer):
    """Sends a feed, whose ETag is its length, where it is not what the reader has already."""

    def __init__(self) -> None:
        super().__init__(_Exchange)
        self.sent = Sent()


class _Exchange(JsonExchange):
    server: Site

    def do_GET(self) -> None:  # noqa: N802
        body = self.server.sent.body.encode()
        tag = f'"{len(body)}"'
        status = 304 if self.headers["If-None-Match"] == tag else 200
        self.server.sent.statuses.append(status)
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)) if status == 200 else "0")
        self.end_headers()
        self.wfile.write(body if status == 200 else b"")


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    with serving(server):
        yield server


@pytest.fixture
def feed(engine: Engine, site: Site) -> UUID:
    """A trigger that reads the feed of the site."""
    created = datetime.now(UTC) - timedelta(minutes=1)
    return register(engine, "read_feed", {"url": site.url}, created_at=created, updated_at=created)


def titles(engine: Engine, feed: UUID) -> list[str]:
    return [event.payload["item"]["title"] for event in events(engine, feed)]


def test_new_entries_start_it_the_oldest_first(backends: Backends, engine: Engine, site: Site, feed: UUID) -> None:
    site.sent.body = rss(2, 1)
    run_poll(backends, feed)
    site.sent.body = rss(4, 3, 2)
    run_poll(backends, feed)
    run_poll(backends, feed)
    assert titles(engine, feed) == ["News 3", "News 4"]
    assert trigger(engine, feed)["last_error"] is None


def test_what_has_not_changed_is_not_sent_again(backends: Backends, engine: Engine, site: Site, feed: UUID) -> None:
    site.sent.body = rss(1)
    for _ in range(3):
        run_poll(backends, feed)
    assert site.sent.statuses == [200, 304, 304]
    assert trigger(engine, feed)["last_success_at"] is not None


def test_what_did_not_change_for_months_is_still_known(
    backends: Backends, engine: Engine, site: Site, feed: UUID
) -> None:
    site.sent.body = rss(1, 2)
    run_poll(backends, feed)
    age(engine, feed, timedelta(days=90))
    run_poll(backends, feed)
    site.sent.body = rss(11, 2, 1)
    run_poll(backends, feed)
    assert titles(engine, feed) == ["News 11"]
    assert remembered(engine, feed) == 3


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ('<rss version="0.91"><channel><item><title>A</title><link>http://x.test/1</link></item></channel></rss>', "A"),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
            '<channel rdf:about="http://x.test"><title>X</title></channel>'
            '<item rdf:about="http://x.test/1"><title>B</title><link>http://x.test/1</link></item></rdf:RDF>',
            "B",
        ),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:1</id><title>C</title></entry></feed>', "C"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "D"}]}', "D"),
    ],
    ids=["RSS 0.91", "RSS 1.0", "Atom", "JSON Feed"],
)
def test_all_forms_of_feeds_are_read(
    backends: Backends, engine: Engine, site: Site, feed: UUID, body: str, title: str
) -> None:
    site.sent.body = rss()
    run_poll(backends, feed)
    site.sent.body = body
    run_poll(backends, feed)
    assert titles(engine, feed) == [title]
    assert trigger(engine, feed)["last_error"] is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("no feed", "neither RSS nor Atom nor a JSON Feed"),
        ("", "neither RSS nor Atom"),
        ("<html><p>Not found</html>", "neither RSS nor Atom"),
        ('{"items": 7}', "no list of items"),
        ("{", "the work on the markup cannot be done"),
        (
            "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>"
            + rss(1).partition("?>")[2].replace("News 1", "&b;" * 9),
            "",
        ),
    ],
    ids=["text", "nothing", "a page", "JSON", "broken JSON", "entities"],
)
def test_what_is_no_feed_is_told_and_starts_nothing(
    backends: Backends, engine: Engine, site: Site, feed: UUID, body: str, told: str
) -> None:
    site.sent.body = body
    run_poll(backends, feed)
    assert told in (trigger(engine, feed)["last_error"] or "")
    assert events(engine, feed) == []


def test_an_address_is_required() -> None:
    kind = find_kind("read_feed")
    assert kind is not None
    assert [problem.message for problem in kind.problems({})] == ["give either the url or the source of a feed"]
    assert "source" not in kind.config_schema()["properties"]


def test_what_one_poll_has_left_is_read_though_another_feed_has_that_tag(
    backends: Backends, engine: Engine, site: Site, feed: UUID
) -> None:
    config = {"startWith": "all", "most": 1}
    for url, numbers in [(site.url, (2, 1)), (f"{site.url}/other", (4, 3))]:
        site.sent.body = rss(*numbers)
        change(engine, feed, configuration={**config, "url": url})
        for _ in range(3):
            run_poll(backends, feed)
    assert titles(engine, feed) == ["News 1", "News 2", "News 3", "News 4"]
