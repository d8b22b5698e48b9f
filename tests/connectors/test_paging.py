"""Lists that an API gives page by page: the ways in which APIs do so, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Answer

from flowforge import jsonio
from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.host_binding import HostBinding
from flowforge.connectors.paging.page import next_in_header
from flowforge.connectors.sdk import ConnectorError, Part, StepContext
from flowforge.jsonio import JsonObject
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.running import run

ALL = list(range(1, 8))
SIZE = 3
Handler = Callable[[Received], Any]


def serve(httpserver: HTTPServer, handler: Handler) -> None:
    def answer(request: Received) -> Answer:
        given = handler(request)
        return given if isinstance(given, Answer) else Answer(jsonio.dumps(given), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)


def read(httpserver: HTTPServer, context: StepContext, paging: JsonObject, **config: Any) -> JsonObject:
    url = config.pop("url", httpserver.url_for("/list"))
    return run("HTTP_REQUEST", {"url": url, "paging": paging, **config}, context)


def part(start: int) -> list[int]:
    return ALL[start : start + SIZE]


class TestWays:
    """Each reads seven items in pages of three."""

    def expect_all(self, httpserver: HTTPServer, output: JsonObject, pages: int = 3) -> None:
        assert output == {"items": ALL, "pages": pages, "complete": True}
        assert len(httpserver.log) == pages

    def test_a_link_in_the_header(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> Answer:
            start = int(request.args.get("start", 0))
            found = Answer(jsonio.dumps(part(start)), mimetype="application/json")
            if start + SIZE < len(ALL):
                found.headers.add("Link", '</list?start=0>; rel="first", <?a=b,c;d>; title="x, y"; rel=prev')
                found.headers.add("Link", f'<?start={start + SIZE}&q=a%2Fb>; rel="last next"')
            return found

        serve(httpserver, answer)
        self.expect_all(httpserver, read(httpserver, context, {"by": "header"}, query={"q": "a/b"}))
        assert [request.query_string for request, _ in httpserver.log[:2]] == [b"q=a%2Fb", b"start=3&q=a%2Fb"]

    def test_a_link_in_the_body(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> JsonObject:
            start = int(request.args.get("$skip", 0))
            following = httpserver.url_for(f"/list?$skip={start + SIZE}") if start + SIZE < len(ALL) else None
            return {"value": part(start), "@odata.nextLink": following}

        serve(httpserver, answer)
        paging = {"by": "link", "at": "body['@odata.nextLink']", "items": "body.value"}
        self.expect_all(httpserver, read(httpserver, context, paging))

    def test_a_cursor(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> JsonObject:
            start = int(request.args.get("cursor", 0))
            following = str(start + SIZE) if start + SIZE < len(ALL) else ""
            return {"ok": True, "members": part(start), "response_metadata": {"next_cursor": following}}

        serve(httpserver, answer)
        paging = {"by": "cursor", "at": "body.response_metadata.next_cursor"}
        self.expect_all(httpserver, read(httpserver, context, paging))

    def test_the_last_item_as_a_cursor(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> JsonObject:
            start = int(request.args.get("starting_after", 0))
            return {"data": [{"id": n} for n in part(start)], "has_more": start + SIZE < len(ALL)}

        serve(httpserver, answer)
        paging = {"by": "cursor", "at": "body.data[-1].id", "parameter": "starting_after", "more": "body.has_more"}
        output = read(httpserver, context, paging)
        self.expect_all(httpserver, {**output, "items": [item["id"] for item in output["items"]]})

    def test_a_cursor_within_the_body(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> JsonObject:
            start = int(request.json["variables"].get("after", 0))
            info = {"endCursor": str(start + SIZE), "hasNextPage": start + SIZE < len(ALL)}
            return {"data": {"orders": {"nodes": part(start), "pageInfo": info}}}

        serve(httpserver, answer)
        info = "body.data.orders.pageInfo"
        paging = {
            "by": "cursor",
            "at": f"{info}.endCursor",
            "more": f"{info}.hasNextPage",
            "sentIn": "body",
            "parameter": "variables.after",
            "items": "body.data.orders.nodes",
        }
        body = {"query": "…", "variables": {"first": SIZE}}
        self.expect_all(httpserver, read(httpserver, context, paging, method="POST", body=body))
        assert [request.json["variables"] for request, _ in httpserver.log[:2]] == [
            {"first": 3},
            {"first": 3, "after": "3"},
        ]

    @pytest.mark.parametrize(
        ("ends", "pages"), [({}, 4), ({"total": "body.total"}, 3), ({"pageCount": "headers.X-Pages"}, 3)]
    )
    def test_a_page_number(self, httpserver: HTTPServer, context: StepContext, ends: JsonObject, pages: int) -> None:
        def answer(request: Received) -> Answer:
            found = {"total": 7, "results": part((int(request.args["page"]) - 1) * SIZE)}
            return Answer(jsonio.dumps(found), mimetype="application/json", headers={"X-Pages": "3"})

        serve(httpserver, answer)
        url = httpserver.url_for("/list?page=1&b")
        self.expect_all(httpserver, read(httpserver, context, {"by": "page", **ends}, url=url), pages)
        assert httpserver.log[1][0].query_string == b"b&page=2"

    def test_an_offset(self, httpserver: HTTPServer, context: StepContext) -> None:
        serve(httpserver, lambda request: part(int(request.args["startAt"])))
        self.expect_all(httpserver, read(httpserver, context, {"by": "offset", "parameter": "startAt"}), pages=4)

    def test_each_page_is_a_call_of_its_own_to_who_drops_repeats(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        serve(httpserver, lambda request: part(int(request.args["offset"])))
        read(httpserver, context, {"by": "offset"})
        keys = [request.headers["Idempotency-Key"] for request, _ in httpserver.log]
        assert keys == ["key-1", "key-1-2", "key-1-3", "key-1-4"]


class TestBounds:
    @pytest.mark.parametrize(
        ("bounds", "items", "pages"), [({"maxItems": 5}, 5, 2), ({"maxItems": 6}, 6, 2), ({"maxPages": 1}, 3, 1)]
    )
    def test_it_reads_no_more_than_is_wanted(
        self, httpserver: HTTPServer, context: StepContext, bounds: JsonObject, items: int, pages: int
    ) -> None:
        serve(httpserver, lambda request: part(int(request.args["offset"])))
        output = read(httpserver, context, {"by": "offset", **bounds})
        assert output == {"items": ALL[:items], "pages": pages, "complete": False}
        assert len(httpserver.log) == pages

    def test_all_that_is_wanted_may_be_all_there_is(self, httpserver: HTTPServer, context: StepContext) -> None:
        def answer(request: Received) -> JsonObject:
            return {"all": part(int(request.args["offset"])), "more": request.args["offset"] < "6"}

        serve(httpserver, answer)
        paging = {"by": "offset", "maxItems": 7, "more": "body.more"}
        assert read(httpserver, context, paging) == {"items": ALL, "pages": 3, "complete": True}

    def test_a_list_that_a_step_cannot_give_is_told_before_it_is_read(
        self, httpserver: HTTPServer, context: StepContext
    ) -> None:
        serve(httpserver, lambda request: ["x" * 500 + request.args["page"]])
        with pytest.raises(ConnectorError, match="page 2: the list has 1,010 bytes up to here") as caught:
            read(httpserver, replace(context, output_limit=1_000), {"by": "page"})
        assert caught.value.permanent
        assert len(httpserver.log) == 2

    def test_pages_without_end_end(
        self, httpserver: HTTPServer, context: StepContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("flowforge.connectors.paging.reading.MOST_PAGES", 4)
        serve(httpserver, lambda request: [request.args["page"]])
        with pytest.raises(ConnectorError, match="page 4: there are more than 4 pages"):
            read(httpserver, context, {"by": "page"})


class TestWrongAnswers:
    @pytest.mark.parametrize(
        ("paging", "answer", "told"),
        [
            ({"by": "page", "items": "body.data"}, {"data": {}}, "no list at body.data"),
            ({"by": "page"}, {"a": [], "b": []}, r"no list .* say where it stands \(paging.items\)"),
            ({"by": "page"}, "plain", "no list"),
            ({"by": "page", "total": "body.total"}, {"a": [1], "total": {}}, "no number at body.total"),
            ({"by": "page", "pageCount": "body.n"}, {"a": [1], "n": "1e400"}, "no number at body.n"),
            ({"by": "cursor", "at": "body.next"}, {"a": [1], "next": {"x": 1}}, "stands at body.next is no cursor"),
            ({"by": "cursor", "at": "body.next", "more": "body.a"}, {"a": [1]}, "there is more, but no cursor at"),
            ({"by": "link", "at": "body.next"}, {"a": [1], "next": "http://[x/"}, "is no address"),
            ({"by": "link", "at": "body.next"}, {"a": [1], "next": "//other.test/"}, "the next page is elsewhere"),
            ({"by": "link", "at": "body.next"}, {"a": [1], "next": "?x=1"}, r"page 2: .* was read already \(\?x=1\)"),
            ({"by": "cursor", "at": "body.next"}, {"a": [1], "next": 7}, r"page 2: .* was read already \(7\)"),
            ({"by": "page"}, {"a": [1]}, "page 2: .* does the API know 'page'"),
        ],
    )
    def test_are_told_once(
        self, httpserver: HTTPServer, context: StepContext, paging: JsonObject, answer: Any, told: str
    ) -> None:
        serve(httpserver, lambda _: answer)
        with pytest.raises(ConnectorError, match=told) as caught:
            read(httpserver, context, paging)
        assert caught.value.permanent

    def test_a_refusal_names_its_page_and_stays_what_it_was(self, httpserver: HTTPServer, context: StepContext) -> None:
        refused = Answer("slow down", 429, {"Retry-After": "7"}, mimetype="text/plain")
        serve(httpserver, lambda request: refused if request.args["page"] == "2" else [1])
        with pytest.raises(ConnectorError, match="page 2: the receiver answered 429: slow down") as caught:
            read(httpserver, context, {"by": "page"})
        assert (caught.value.permanent, caught.value.retry_after, caught.value.answered) == (False, 7, True)

    def test_a_link_may_lead_to_the_hosts_of_the_connection(self, httpserver: HTTPServer, context: StepContext) -> None:
        with HTTPServer(host="127.0.0.1", port=0) as other:
            other.expect_request("/more").respond_with_json([2])
            headers = {"Link": f'<{other.url_for("/more")}>; rel="next"'}
            serve(httpserver, lambda _: Answer("[1]", mimetype="application/json", headers=headers))
            bound = replace(context, binding=HostBinding.read("shop", {"hosts": ["localhost", "127.0.0.1"]}))
            assert read(httpserver, bound, {"by": "header"})["items"] == [1, 2]


class Died(Exception):
    """What becomes of an executor in the middle of a step."""


class Kept:
    """The progress of a step whose executor dies after so many pages."""

    def __init__(self, dies_after: int) -> None:
        self.kept: list[Part] = []
        self.dies_after = dies_after

    def parts(self) -> list[Part]:
        return list(self.kept)

    def add(self, part: Part) -> None:
        if len(self.kept) == self.dies_after:
            raise Died
        self.kept.append(part)


@pytest.mark.parametrize("paging", [{"by": "offset"}, {"by": "page"}, {"by": "cursor", "at": "headers.x-next"}])
def test_a_step_goes_on_with_the_page_after_those_that_are_kept(
    httpserver: HTTPServer, context: StepContext, paging: JsonObject
) -> None:
    def answer(request: Received) -> Answer:
        start = int(request.args.get("offset") or request.args.get("cursor") or 0)
        start = (int(request.args["page"]) - 1) * SIZE if "page" in request.args else start
        headers = {"X-Next": str(start + SIZE)} if start + SIZE < len(ALL) else {}
        return Answer(jsonio.dumps(part(start)), mimetype="application/json", headers=headers)

    serve(httpserver, answer)
    progress = Kept(dies_after=2)
    with pytest.raises(Died):
        read(httpserver, replace(context, progress=progress), paging)
    progress.dies_after = 9
    output = read(httpserver, replace(context, progress=progress), paging)
    assert (output["items"], output["complete"]) == (ALL, True)
    assert [part.items for part in progress.kept][:3] == [[1, 2, 3], [4, 5, 6], [7]]
    assert len(httpserver.log) == output["pages"] + 1
    assert read(httpserver, replace(context, progress=progress), paging) == output
    assert len(httpserver.log) == output["pages"] + 1, "all pages are kept: nobody is asked"


class TestDeclaration:
    @pytest.mark.parametrize(
        ("paging", "pointer"),
        [
            ({}, "/config/paging/by"),
            ({"by": "cursor"}, "/config/paging"),
            ({"by": "page", "maxpages": 3}, "/config/paging/maxpages"),
            ({"by": "page", "maxPages": 0}, "/config/paging/maxPages"),
            ({"by": "link", "at": "body["}, "/config/paging/at"),
            ({"by": "cursor", "at": "body.a", "sentIn": "body", "parameter": "a["}, "/config/paging"),
        ],
    )
    def test_what_is_wrong_is_told_beside_its_field(self, paging: JsonObject, pointer: str) -> None:
        config = {"url": "https://x.test", "paging": paging}
        problems = load_catalog().get("HTTP_REQUEST").problems(config, "/config")
        assert [problem.pointer for problem in problems] == [pointer]

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("body.a[0].b", 1),
            ("body.a[-1].c", 2),
            ("body['x.y'].z", 3),
            ("body.x.y.z", 3),
            ('body["x.y"]', {"z": 3}),
            ("body.a[7].b", None),
            ("body.a.b", None),
            ("headers.X-Next-Page", "2"),
        ],
    )
    def test_a_path_leads_into_the_answer(self, path: str, value: Any) -> None:
        answer = {"body": {"a": [{"b": 1}, {"c": 2}], "x.y": {"z": 3}}, "headers": {"x-next-page": "2"}}
        assert AnswerPath.read(path).find(answer) == value

    @pytest.mark.parametrize("path", ["", " ", "a[", "a]", "a[x]", "a['x]", "." * 3, "a" + "[0]" * 60])
    def test_what_is_no_path_is_refused(self, path: str) -> None:
        with pytest.raises(ValueError, match="path"):
            AnswerPath.read(path)

    @pytest.mark.parametrize("link", ["<" * 50_000, '<a>; x="' * 20_000, "<a>;" * 30_000, "<a>; rel=" + "x " * 50_000])
    def test_a_header_that_is_made_to_be_hard_is_read_in_no_time(self, link: str) -> None:
        assert next_in_header(link) is None


class Noting:
    """The memory of a step, of which all sizes are noted that an answer has had."""

    def __init__(self) -> None:
        self.held: list[int] = []

    def hold_answer(self, size: int) -> None:
        self.held.append(size)


def test_what_was_read_before_is_held_beside_the_answer(httpserver: HTTPServer, context: StepContext) -> None:
    pages = {1: ["x" * 10_000], 2: ["y" * 10_000], 3: []}
    serve(httpserver, lambda request: pages[int(request.args["page"])])
    memory = Noting()
    read(httpserver, replace(context, memory=memory), {"by": "page"})
    assert memory.held[-1] > 20_000
