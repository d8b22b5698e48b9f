"""/api/v1/tables: tables are made, changed, deleted; rows are added, found, changed, exported and imported."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flowforge.wiring import Backends
from tests.data_tables.tables import room_of
from tests.people import Person

TABLES = "/api/v1/tables"
COLUMNS = [{"name": "sku"}, {"name": "price", "type": "number"}, {"name": "more", "type": "json"}]
STOCK = {"name": "stock", "columns": COLUMNS, "key": "sku"}


@pytest.fixture
def stock(client: FlaskClient, owner: Person) -> str:
    return str(client.post(TABLES, json=STOCK, headers=owner.headers).json["id"])


def add(client: FlaskClient, owner: Person, table: str, *rows: dict[str, Any], **more: Any) -> Any:
    return client.post(f"{TABLES}/{table}/rows", json={"rows": list(rows), **more}, headers=owner.headers)


def imported(client: FlaskClient, owner: Person, table: str, csv: bytes, query: str = "") -> Any:
    return client.post(f"{TABLES}/{table}/rows.csv{query}", data=csv, headers=owner.headers)


def exported(client: FlaskClient, owner: Person, table: str) -> bytes:
    answer = client.get(f"{TABLES}/{table}/rows.csv", headers=owner.headers)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    return bytes(answer.data)


def test_a_table_is_made_shown_and_listed(client: FlaskClient, owner: Person) -> None:
    answer = client.post(TABLES, json=STOCK | {"expireAfter": 7}, headers=owner.headers)
    assert answer.status_code == 201
    made = answer.json
    assert [(one["name"], one["type"], one["required"]) for one in made["columns"]] == [
        ("sku", "text", False),
        ("price", "number", False),
        ("more", "json", False),
    ]
    assert (made["name"], made["key"], made["expireAfter"], made["rowCount"]) == ("stock", "sku", 7, 0)
    assert client.get(f"{TABLES}/{made['id']}", headers=owner.headers).json == made
    assert client.get(TABLES, headers=owner.headers).json == [made]


def test_a_renamed_column_keeps_its_values(client: FlaskClient, owner: Person, stock: str) -> None:
    add(client, owner, stock, {"sku": "a", "price": 1})
    columns = client.get(f"{TABLES}/{stock}", headers=owner.headers).json["columns"]
    wanted = {"name": "shop", "key": "number", "columns": [{**columns[0], "name": "number"}, columns[1]]}
    changed = client.put(f"{TABLES}/{stock}", json=wanted, headers=owner.headers)
    assert (changed.status_code, changed.json["key"]) == (200, "number")
    [row] = client.get(f"{TABLES}/{stock}/rows", headers=owner.headers).json["rows"]
    assert (row["number"], row["price"], "more" in row) == ("a", 1, False)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"name": "1st"}, 400, "/name: must be letters"),
        ({"name": ""}, 400, "/name: must be letters"),
        ({"columns": []}, 400, "/columns: must be a list"),
        ({"columns": [{"name": "a", "type": "money"}]}, 400, "/columns/0/type: must be one of"),
        ({"columns": [{"name": f"c{n}"} for n in range(51)]}, 400, "/columns"),
        ({"key": "price2"}, 400, "/key: there is no column 'price2'; did you mean 'price'?"),
        ({"key": "more"}, 400, "/key: must be a column of text, number, datetime"),
        ({"expireAfter": 0}, 400, "/expireAfter: must be 1 to"),
        ({}, 409, "there is a table by that name already"),
    ],
)
def test_what_cannot_be_a_table_is_refused(
    client: FlaskClient, owner: Person, stock: str, change: dict[str, Any], status: int, told: str
) -> None:
    answer = client.post(TABLES, json=STOCK | change, headers=owner.headers)
    assert (answer.status_code, told in answer.json["message"]) == (status, True), answer.json


def test_the_key_stays_where_there_are_rows(client: FlaskClient, owner: Person, stock: str) -> None:
    columns = client.get(f"{TABLES}/{stock}", headers=owner.headers).json["columns"]
    wanted = {"name": "stock", "key": None, "columns": columns}
    add(client, owner, stock, {"sku": "a"})
    refused = client.put(f"{TABLES}/{stock}", json=wanted, headers=owner.headers)
    assert (refused.status_code, refused.json["message"]) == (
        400,
        "/key: can only be changed while the table has no rows",
    )


def test_a_deleted_table_is_gone_and_its_room_is_free(
    client: FlaskClient, backends: Backends, owner: Person, stock: str
) -> None:
    add(client, owner, stock, {"sku": "a"})
    assert room_of(backends, owner.id)[0] == 1
    assert client.delete(f"{TABLES}/{stock}", headers=owner.headers).status_code == 204
    assert client.get(f"{TABLES}/{stock}/rows", headers=owner.headers).status_code == 404
    assert room_of(backends, owner.id) == (0, 0)
    assert client.post(TABLES, json=STOCK, headers=owner.headers).status_code == 201


def test_rows_are_found_changed_and_deleted(client: FlaskClient, owner: Person, stock: str) -> None:
    added = add(client, owner, stock, *({"sku": f"s{n}", "price": n} for n in range(5)))
    assert (added.status_code, [one["isNew"] for one in added.json]) == (201, [True] * 5)
    wanted = {"conditions": [{"column": "price", "operator": "atLeast", "value": 1}], "sort": "price", "limit": 2}
    first = client.post(f"{TABLES}/{stock}/rows/search", json=wanted, headers=owner.headers).json
    rest = client.post(f"{TABLES}/{stock}/rows/search", json=wanted | {"after": first["next"]}, headers=owner.headers)
    assert [row["sku"] for row in first["rows"] + rest.json["rows"]] == ["s1", "s2", "s3", "s4"]
    row = f"{TABLES}/{stock}/rows/{first['rows'][0]['id']}"
    changed = client.patch(row, json={"values": {"price": 10}}, headers=owner.headers)
    assert (changed.json["row"]["price"], changed.json["row"]["sku"]) == (10, "s1")
    assert client.get(row, headers=owner.headers).json == changed.json
    assert client.delete(row, headers=owner.headers).status_code == 204
    assert client.get(row, headers=owner.headers).status_code == 404


def test_rows_are_added_all_or_none(client: FlaskClient, owner: Person, stock: str) -> None:
    refused = add(client, owner, stock, {"sku": "a"}, {"sku": "b", "price": "dear"}, {"skew": "c"})
    assert (refused.status_code, refused.json["message"]) == (
        400,
        "/rows/1/price: must be a number; /rows/2/skew: there is no such column; there is 'sku', 'price', 'more'",
    )
    assert client.get(f"{TABLES}/{stock}/rows", headers=owner.headers).json["count"] == 0


class TestCsv:
    def test_comes_back_as_it_was(self, client: FlaskClient, owner: Person, stock: str) -> None:
        rows = [
            {"sku": '=1+1,"x"\nnext', "price": 12.5, "more": {"b": [1], "a": "="}},
            {"sku": "'-", "price": -3, "more": "text"},
            {"sku": "plain", "price": None, "more": None},
        ]
        add(client, owner, stock, *rows)
        written = exported(client, owner, stock)
        assert b"\"'=1+1" in written, "no formula for a spreadsheet"
        client.delete(f"{TABLES}/{stock}", headers=owner.headers)
        again = client.post(TABLES, json=STOCK, headers=owner.headers).json["id"]
        told = imported(client, owner, again, written)
        assert (told.status_code, told.json["added"], told.json["problems"]) == (200, 3, [])
        found = client.get(f"{TABLES}/{again}/rows", headers=owner.headers).json["rows"]
        assert [{name: row[name] for name in ("sku", "price", "more")} for row in found] == rows

    def test_names_the_lines_that_cannot_be_rows(self, client: FlaskClient, owner: Person, stock: str) -> None:
        csv = b"\xef\xbb\xbfprice;sku;unknown\n1;a;x\nmany;b;x\n\n3;;x\n4;a;x\n"
        told = imported(client, owner, stock, csv).json
        assert (told["added"], told["known"], told["leftOut"], told["stopped"]) == (1, 1, 2, None)
        assert told["problems"] == [
            {"line": 3, "message": "price: must be a number"},
            {"line": 5, "message": "sku: must have 1 to 500 characters, since rows are known by it"},
        ]

    def test_marks_in_quotes_separate_nothing(self, client: FlaskClient, owner: Person, stock: str) -> None:
        told = imported(client, owner, stock, b'"a;b;c;d",sku,price\nx,a,2\n').json
        assert (told["added"], told["problems"]) == (1, [])

    def test_changes_rows_that_are_there(self, client: FlaskClient, owner: Person, stock: str) -> None:
        add(client, owner, stock, {"sku": "a", "price": 1, "more": [1]})
        told = imported(client, owner, stock, b"sku,price\na,2\nb,3\n", "?ifThere=change").json
        assert (told["added"], told["changed"]) == (1, 1)
        rows = client.get(f"{TABLES}/{stock}/rows", headers=owner.headers).json["rows"]
        assert [(row["price"], row["more"]) for row in rows] == [(2, [1]), (3, None)]

    @pytest.mark.parametrize(
        ("csv", "told"),
        [
            (b"", "the first line names no column of the table; these are sku, price, more"),
            (b"a,b\n1,2\n", "the first line names no column"),
            (b"sku,sku\n1,2\n", "the first line names a column twice"),
        ],
    )
    def test_of_another_table_is_refused(
        self, client: FlaskClient, owner: Person, stock: str, csv: bytes, told: str
    ) -> None:
        refused = imported(client, owner, stock, csv)
        assert (refused.status_code, told in refused.json["message"]) == (400, True), refused.json

    @pytest.mark.parametrize(
        ("rest", "why"),
        [
            (b'b,"' + b"x" * 300_000, "is no CSV: field larger than"),
            (b"\xff\xfe,1\n", "is not in UTF-8; save it as “CSV UTF-8”"),
        ],
    )
    def test_that_ends_in_nonsense_keeps_what_came_before(
        self, client: FlaskClient, owner: Person, stock: str, rest: bytes, why: str
    ) -> None:
        told = imported(client, owner, stock, b"sku,price\n" + b"a,1\nb,2\n" + b"\n" * 9_000 + rest).json
        assert told["added"] == 2
        assert why in told["stopped"]

    def test_of_rows_too_large_leaves_these_out(self, client: FlaskClient, owner: Person, stock: str) -> None:
        big = b'"""' + b"y" * 200_000 + b'"""'
        plain = b"".join(b"s%d,1,\n" % n for n in range(20))
        wide = client.post(
            TABLES, json={"name": "wide", "columns": [{"name": "a"}, {"name": "b"}]}, headers=owner.headers
        ).json["id"]
        told = imported(client, owner, wide, b"a,b\n1,2\n" + b"x" * 200_000 + b"," + b"y" * 200_000 + b"\n3,4\n").json
        assert (told["added"], told["leftOut"]) == (2, 1)
        assert told["problems"][0]["message"] == "a row has at most 262,144 bytes"
        assert imported(client, owner, stock, b"sku,price,more\n" + plain + b"z,1," + big + b"\n").json["added"] == 21

    def test_beyond_the_quota_stops_and_says_so(
        self, client: FlaskClient, backends: Backends, owner: Person, stock: str
    ) -> None:
        client.put(f"/api/v1/admin/accounts/{owner.id}/quotas", json={"tableRows": 1_500}, headers=owner.headers)
        csv = b"sku,price\n" + b"".join(b"s%d,1\n" % n for n in range(2_500))
        told = imported(client, owner, stock, csv).json
        assert (told["added"], told["stopped"].startswith("at line 1002: the tables of the account have")) == (
            1_000,
            True,
        )
        assert add(client, owner, stock, *({"sku": f"n{n}"} for n in range(600))).status_code == 429
