"""Pages of tables: made with their columns, looked through, edited row by row, exported and imported."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_pages import created

FORM = {
    "name": "stock",
    "name-0": "sku",
    "type-0": "text",
    "name-1": "price",
    "type-1": "number",
    "required-1": "true",
    "name-3": "sold",
    "type-3": "boolean",
    "name-4": "more",
    "type-4": "json",
    "key": "0",
}


@pytest.fixture
def page(ada: Browser) -> str:
    """The page of a table that was made."""
    made = ada.send("/tables/new", "/tables/new", **FORM)
    assert made.status_code == 303, made.text
    return str(made.headers["Location"])


def add(browser: Browser, page: str, **values: str) -> TestResponse:
    sent: dict[str, Any] = {f"values/{name}": value for name, value in values.items()}
    return browser.send(f"{page}/rows/new", f"{page}/rows/new", **sent)


def import_file(browser: Browser, page: str, csv: bytes, **fields: str) -> TestResponse:
    form = {"csrf_token": browser.token(page), "file": (BytesIO(csv), "stock.csv"), **fields}
    return browser.client.post(f"{page}/import", data=form, headers={"Accept": "text/html"})


def cells(text: str) -> list[list[str]]:
    """What stands in the rows of the page."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", line, re.DOTALL)][:-1]
        for line in lines
    ]


def test_a_table_is_made_and_listed(ada: Browser, page: str) -> None:
    assert "No rows yet" in ada.get(page).text
    listed = ada.get("/tables").text
    assert "stock" in listed
    assert "sku, price, sold, more" in listed


def test_what_is_wrong_with_a_column_stands_beside_it(ada: Browser) -> None:
    refused = ada.send("/tables/new", "/tables/new", **FORM | {"name-1": "1st"})
    assert refused.status_code == 400
    assert 'aria-invalid="true" aria-describedby="note-1"' in refused.text
    assert 'value="1st"' in refused.text
    renamed = ada.send("/tables/new", "/tables/new", **FORM | {"name": "my stock"})
    assert (renamed.status_code, "Name must be letters, digits and _" in renamed.text) == (400, True)


@pytest.mark.parametrize("days", ["0", "soon", "9" * 5_000])
def test_days_that_are_none_are_named(ada: Browser, days: str) -> None:
    refused = ada.send("/tables/new", "/tables/new", **FORM | {"expireAfter": days})
    assert (refused.status_code, "must be 1 to 36,600 days" in refused.text) == (400, True)


def test_columns_are_renamed_added_and_left_out(ada: Browser, page: str) -> None:
    add(ada, page, sku="a", price="1", sold="true")
    form = ada.get(f"{page}/columns").text
    ids = re.findall(r'name="id-\d+" value="(\w+)"', form)
    fields = {f"id-{n}": id_ for n, id_ in enumerate(ids)} | {
        "name-0": "number",
        "type-0": "text",
        "name-1": "price",
        "type-1": "number",
        "name-2": "",
        "name-5": "note",
        "type-5": "text",
    }
    saved = ada.send(f"{page}/columns", f"{page}/columns", name="shop", key="0", **fields)
    assert saved.status_code == 303, saved.text
    shown = ada.get(page).text
    assert cells(shown) == [["a", "1", "–"]]
    assert re.findall(r"sort=(\w+)", shown) == ["number", "price", "note"]


def test_rows_are_added_edited_and_deleted_by_hand(ada: Browser, page: str) -> None:
    assert add(ada, page, sku="a", price="2.50", more='{"b": 1, "a": 2}').status_code == 303
    shown = ada.get(page).text
    assert cells(shown)[0][:3] == ["a", "2.5", "–"]
    row = re.search(rf'href="({page}/rows/[0-9a-f-]+)"', shown)
    assert row
    form = ada.get(row[1]).text
    assert "&#34;b&#34;: 1" in form
    assert ada.send(row[1], row[1], **{"values/sku": "b", "values/price": "3"}).status_code == 303
    assert cells(ada.get(page).text) == [["b", "3", "–", "–"]]
    assert ada.send(f"{row[1]}/delete", row[1]).status_code == 303
    assert ada.get(row[1]).status_code == 404
    assert "No rows yet" in ada.get(page).text


@pytest.mark.parametrize(
    ("values", "status", "told"),
    [
        ({"sku": "a"}, 400, "price is required"),
        ({"sku": "a", "price": "dear"}, 400, "price must be a number"),
        ({"sku": "a", "price": "1", "more": "{"}, 400, "more must be JSON"),
        ({"sku": "taken: it", "price": "1"}, 409, "sku there is a row &#39;taken: it&#39; already"),
    ],
)
def test_what_is_wrong_with_a_value_stands_beside_it(
    ada: Browser, page: str, values: dict[str, str], status: int, told: str
) -> None:
    add(ada, page, sku="taken: it", price="1")
    refused = add(ada, page, **values)
    assert (refused.status_code, told in refused.text) == (status, True), refused.text
    assert f'value="{values["sku"]}"' in refused.text


def test_rows_are_found_sorted_and_paged(ada: Browser, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.ui.tables.ROWS_SHOWN", 2)
    for sku, price in (("a", "3"), ("b", "10"), ("c", "1"), ("d", "2")):
        add(ada, page, sku=sku, price=price)
    asked = f"{page}?column=price&operator=more&value=1&sort=price&descending=true"
    first = ada.get(asked).text
    assert [row[0] for row in cells(first)] == ["b", "a"]
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    last = ada.get(following[1].replace("&amp;", "&")).text
    assert [row[0] for row in cells(last)] == ["d"]
    assert "First page" in last
    assert 'aria-sort="descending"' in last


@pytest.mark.parametrize(
    "asked", ["column=price&value=x", "column=nothing", "sort=more", "after=%25", "column=more&operator=equals&value=1"]
)
def test_an_address_that_asks_for_what_cannot_be_found_says_so(ada: Browser, page: str, asked: str) -> None:
    answer = ada.get(f"{page}?{asked}")
    assert answer.status_code == 200
    assert "Invalid filter:" in answer.text


@pytest.mark.parametrize("asked", ["endpoint=x", "table_id=x", "_scheme=x", "_external=1"])
def test_what_nobody_asks_for_changes_nothing(ada: Browser, page: str, asked: str) -> None:
    add(ada, page, sku="a", price="1")
    answer = ada.get(f"{page}?{asked}")
    assert (answer.status_code, cells(answer.text)[0][0]) == (200, "a")
    assert f"{page}?{asked}&amp;sort=sku" in answer.text


def test_a_file_is_imported_and_its_wrong_lines_are_named(ada: Browser, page: str) -> None:
    add(ada, page, sku="a", price="1")
    answer = import_file(ada, page, b"sku,price\na,2\nb,3\nc,dear\n", change="true")
    assert answer.status_code == 200
    assert "1 row added" in answer.text
    assert "Line 4: price: must be a number" in answer.text
    assert [row[:2] for row in cells(answer.text)] == [["a", "2"], ["b", "3"]]
    exported = ada.get(f"/api/v1{page}/rows.csv")
    assert exported.data == b"sku,price,sold,more\r\na,2,,\r\nb,3,,\r\n"


@pytest.mark.parametrize("csv", [b"", b"x,y\n1,2\n"])
def test_a_file_of_another_table_is_refused_beside_its_field(ada: Browser, page: str, csv: bytes) -> None:
    refused = import_file(ada, page, csv)
    assert refused.status_code == 400
    assert "File the first line names no column" in refused.text


def test_a_table_is_deleted(ada: Browser, page: str) -> None:
    add(ada, page, sku="a", price="1")
    assert ada.send(f"{page}/delete", page).status_code == 303
    assert ada.get(page).status_code == 404
    assert "No tables yet" in ada.get("/tables").text


def counting(table: str) -> dict[str, Any]:
    return {"id": "count", "type": "TABLE", "config": {"table": table, "operation": "count"}}


def test_a_table_that_workflows_use_is_deleted_only_once_they_were_named(ada: Browser, page: str) -> None:
    nested = {"id": "each", "type": "FOR_EACH", "config": {"items": [1]}, "actions": [counting("stock")]}
    created(ada, {"name": "Restock", "actions": [nested]})
    draft = created(ada, {"name": "Being built", "actions": [counting("{{ trigger.table }}")]}) + "/build/text"
    written = json.dumps({"name": "Being built", "actions": [counting("stock")]})
    ada.send(draft, draft, **{"as": "json", "text": written, "revision": "0"})

    refused = ada.send(f"{page}/delete", page)
    assert refused.status_code == 409
    told = " ".join(re.sub(r"<[^>]+>", " ", refused.text.partition("Delete this table")[2]).split())
    assert told.startswith("Steps of these workflows use it and will fail: Being built (draft), Restock"), told
    assert ada.get(page).status_code == 200

    assert ada.send(f"{page}/delete", page, force="true").status_code == 303
    assert ada.get(page).status_code == 404


def test_what_else_has_a_field_of_that_name_uses_no_table(ada: Browser, page: str) -> None:
    airtable = {"connection": "none", "base": "app12345678901234", "table": "stock", "operation": "list"}
    draft = created(ada, {"name": "Empty", "actions": []}) + "/build/text"
    written = json.dumps({"name": "Empty", "actions": [{"id": "a", "type": "AIRTABLE", "config": airtable}]})
    ada.send(draft, draft, **{"as": "json", "text": written, "revision": "0"})
    assert ada.send(f"{page}/delete", page).status_code == 303


def test_a_stranger_sees_nothing(ada: Browser, page: str, signed_up: Any) -> None:
    stranger = signed_up("eve")
    for path in ("", "/columns", "/rows/new"):
        assert stranger.get(page + path).status_code == 404
    assert "stock" not in stranger.get("/tables").text


def test_a_page_of_rows_takes_a_bounded_number_of_statements(ada: Browser, page: str, engine: Engine) -> None:
    for sku in "abcdef":
        add(ada, page, sku=sku, price="1")
    with counting_statements(engine) as statements:
        ada.get(page)
    assert len(statements) <= 8, statements
