"""The form of a paged list: the way in which an API is paged is chosen, and brings the fields that it needs."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import Paging
from webapp.ui.fields import Field, fields_of
from webapp.ui.forms import config_from_form, draws_otherwise

WAYS = {"header": 0, "link": 1, "cursor": 2, "page": 3, "offset": 4}


@pytest.fixture(params=["HTTP_REQUEST", "API_CALL"])
def paging(request: pytest.FixtureRequest) -> Field:
    fields = fields_of(load_catalog().get(request.param).config_schema())
    return next(field for field in fields if field.key == "paging")


def posted(way: str, drawn: str = "", **fields: str) -> MultiDict[str, str]:
    choice = {"variant": str(WAYS.get(way, "")), "drawn": str(WAYS.get(drawn, ""))}
    return MultiDict({f"config.paging.{name}": value for name, value in {**choice, **fields}.items()})


def read(field: Field, form: MultiDict[str, str], before: Any = None) -> Any:
    return config_from_form([field], form, {"paging": before} if before else {}).get("paging")


def test_each_way_has_the_fields_that_mean_something_for_it(paging: Field) -> None:
    fields = {variant.label: {inner.key for inner in variant.inner} for variant in paging.variants}
    assert "at" not in fields["Page numbers"]
    assert "first" not in fields["A cursor in the answer"]
    assert fields["A link in the header Link"] == {"by", "items", "more", "total", "pageCount", "maxPages", "maxItems"}


def test_the_place_of_a_link_or_cursor_is_required(paging: Field) -> None:
    required = [[inner.key for inner in variant.inner if inner.required] for variant in paging.variants]
    assert required == [["by"], ["by", "at"], ["by", "at"], ["by"], ["by"]]


@pytest.mark.parametrize(
    "written",
    [
        {"by": "header", "maxPages": 5},
        {"by": "cursor", "at": "body.next", "sentIn": "body", "parameter": "start"},
        {"by": "offset", "total": "body.total", "first": 0},
        {"by": "header", "first": 3, "parameter": "p"},
    ],
)
def test_what_is_written_is_drawn_and_saved_as_it_was(paging: Field, written: dict[str, Any]) -> None:
    assert paging.variant({"paging": written}) == WAYS[written["by"]]
    fields = {key: str(value) for key, value in written.items() if key != "by"}
    assert read(paging, posted(written["by"], written["by"], **fields), written) == written
    assert Paging.model_validate(written)


def test_another_way_keeps_what_both_have(paging: Field) -> None:
    form = posted("page", "cursor", at="body.next", items="body.data", maxItems="500", parameter="p")
    assert draws_otherwise(form)
    before = {"by": "cursor", "at": "body.next"}
    assert read(paging, form, before) == {"by": "page", "items": "body.data", "maxItems": 500, "parameter": "p"}


def test_choosing_none_reads_no_pages(paging: Field) -> None:
    assert read(paging, posted("", "page", items="body.data"), {"by": "page"}) is None


def test_what_holds_where_nothing_is_chosen_is_told_in_words(paging: Field) -> None:
    sent_in = next(inner for inner in paging.variants[WAYS["cursor"]].inner if inner.key == "sentIn")
    assert sent_in.usual == "The query"
