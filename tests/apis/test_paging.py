"""How operations go on to the next page, guessed from what providers really declare."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.apis.operation import Operation
from flowforge.apis.paging import PagingGuess, paging_guess
from tests.apis.descriptions import operation

TEXT, NUMBER, YES = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
THINGS: dict[str, Any] = {"type": "array", "items": {"type": "object", "properties": {"id": TEXT}}}


def listing(answer: Any, method: str = "get", headers: Any = None, **parameters: Any) -> Operation:
    declared = [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]
    content = {"application/json": {"schema": answer}}
    responses = {"200": {"content": content, "headers": headers or {}}}
    return operation("/things", method, parameters=declared, responses=responses)


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


class TestGuesses:
    def test_google(self) -> None:
        op = listing(fields(nextPageToken=TEXT, files=THINGS), pageToken=TEXT, pageSize={**NUMBER, "maximum": 1000})
        assert paging_guess(op) == PagingGuess(
            "cursor",
            "pageToken",
            next=("nextPageToken",),
            items=("files",),
            size_parameter="pageSize",
            largest_size=1000,
        )

    def test_slack(self) -> None:
        answer = fields(channels=THINGS, response_metadata=fields(next_cursor=TEXT))
        assert paging_guess(listing(answer, cursor=TEXT, limit=NUMBER)) == PagingGuess(
            "cursor",
            "cursor",
            next=("response_metadata", "next_cursor"),
            items=("channels",),
            size_parameter="limit",
        )

    def test_stripe(self) -> None:
        op = listing(fields(data=THINGS, has_more=YES, url=TEXT), starting_after=TEXT, ending_before=TEXT)
        assert paging_guess(op) == PagingGuess(
            "cursor", "starting_after", items=("data",), cursor_of_last="id", more=("has_more",)
        )

    def test_github(self) -> None:
        op = listing(THINGS, headers={"Link": {}}, page={**NUMBER, "default": 1}, per_page=NUMBER)
        assert paging_guess(op) == PagingGuess("link_header", size_parameter="per_page")

    def test_twilio(self) -> None:
        op = listing(fields(accounts=THINGS, next_page_uri=TEXT, page=NUMBER), Page=NUMBER, PageSize=NUMBER)
        guess = paging_guess(op)
        assert guess is not None
        assert (guess.kind, guess.next, guess.items) == ("next_link", ("next_page_uri",), ("accounts",))

    def test_digitalocean(self) -> None:
        answer = fields(droplets=THINGS, links=fields(pages=fields(next=TEXT, last=TEXT)))
        guess = paging_guess(listing(answer, page=NUMBER, per_page=NUMBER))
        assert guess is not None
        assert (guess.kind, guess.next) == ("next_link", ("links", "pages", "next"))

    def test_odata(self) -> None:
        guess = paging_guess(listing(fields(**{"value": THINGS, "@odata.nextLink": TEXT}), **{"$top": NUMBER}))
        assert guess is not None
        assert (guess.kind, guess.next, guess.size_parameter) == ("next_link", ("@odata.nextLink",), "$top")

    def test_kubernetes(self) -> None:
        answer = fields(items=THINGS, metadata=fields(**{"continue": TEXT}))
        guess = paging_guess(listing(answer, **{"continue": TEXT, "limit": NUMBER}))
        assert guess is not None
        assert (guess.parameter, guess.next) == ("continue", ("metadata", "continue"))

    @pytest.mark.parametrize(("said", "first"), [({"minimum": 0}, 0), ({"default": 1}, 1), ({}, 1)])
    def test_numbered_pages(self, said: Any, first: int) -> None:
        guess = paging_guess(listing(fields(results=THINGS), page={**NUMBER, **said}, size=NUMBER))
        assert guess == PagingGuess("page", "page", items=("results",), size_parameter="size", first_page=first)

    def test_offsets(self) -> None:
        guess = paging_guess(listing(fields(data=THINGS, total=NUMBER), offset=NUMBER, limit=NUMBER))
        assert guess == PagingGuess("offset", "offset", items=("data",), size_parameter="limit")

    def test_a_list_inside_of_the_data(self) -> None:
        guess = paging_guess(listing(fields(data=fields(tasks=THINGS)), page=NUMBER))
        assert guess is not None
        assert guess.items == ("data", "tasks")


@pytest.mark.parametrize(
    "op",
    [
        listing(fields(data=THINGS)),
        listing(fields(name=TEXT), page=NUMBER),
        listing(fields(data=THINGS), method="post", page=NUMBER),
        listing(fields(a=THINGS, b=THINGS), page=NUMBER),
        listing(fields(data=THINGS), offset=NUMBER),
        listing(fields(data=THINGS, nextPageToken=TEXT)),
        operation(),
    ],
)
def test_what_is_not_plain_is_not_guessed(op: Operation) -> None:
    assert paging_guess(op) is None
