"""Tables in PostgreSQL: adding, finding, changing, counting up and deleting rows, within the quotas."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from flowforge.connectors.tables import IfThere, WantedPage, Which
from flowforge.db import data_rows_store
from flowforge.db.data_tables_store import Limits
from flowforge.engine.pruning import prune
from flowforge.errors import Conflict, Invalid, NotFound, OverQuota, TooMuchAtOnce
from flowforge.kept_tables import Call, KeptTable
from flowforge.table_registry.tables import delete_table
from flowforge.wiring import Backends
from tests.data_tables.tables import NO_LIMITS, account, add, by, emails, make_table, room_of, stored_room, tables_of
from tests.statements import counting_statements

ROWS: list[dict[str, Any]] = [
    {"email": "ann@x", "age": 40, "paid": True, "since": "2026-01-01", "more": {"z": 1, "a": 2}},
    {"email": "bob@x", "age": 7.5, "paid": False, "since": "2025-01-01"},
    {"email": "Cy@y", "age": 10**30},
    {"email": "dee@y"},
]


@pytest.fixture
def owner(backends: Backends) -> UUID:
    return account(backends)


@pytest.fixture
def people(backends: Backends, owner: UUID) -> KeptTable:
    make_table(backends, owner)
    table = tables_of(backends, owner).find("people")
    add(table, *ROWS)
    return table


def expire(backends: Backends) -> None:
    with backends.engine.begin() as connection:
        connection.execute(text("UPDATE data_tables.rows SET expires_at = now() WHERE expires_at IS NOT NULL"))


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (by("email", "equals", "bob@x"), ["bob@x"]),
        (by("age", "equals", 40.0), ["ann@x"]),
        (by("age", "equals", "40"), ["ann@x"]),
        (by("paid", "notEquals", True), ["bob@x", "Cy@y", "dee@y"]),
        (by("age", "more", 7.5), ["ann@x", "Cy@y"]),
        (by("age", "atLeast", 7.5), ["ann@x", "bob@x", "Cy@y"]),
        (by("age", "less", 40), ["bob@x"]),
        (by("since", "atMost", "2025-06-01T00:00:00Z"), ["bob@x"]),
        (by("age", "oneOf", [40, 10**30, 1]), ["ann@x", "Cy@y"]),
        (by("age", "oneOf", []), []),
        (by("email", "contains", "@X"), ["ann@x", "bob@x"]),
        (by("email", "startsWith", "CY"), ["Cy@y"]),
        (by("more", "isEmpty"), ["bob@x", "Cy@y", "dee@y"]),
        (by("age", "isNotEmpty"), ["ann@x", "bob@x", "Cy@y"]),
    ],
)
def test_rows_are_found_by_conditions(people: KeptTable, which: Which, found: list[str]) -> None:
    assert emails(people, which) == found
    assert people.count(which) == len(found)


def test_all_conditions_hold_or_any_of_them(people: KeptTable) -> None:
    both = [*by("age", "more", 10).conditions, *by("email", "contains", "@x").conditions]
    assert emails(people, Which(conditions=both)) == ["ann@x"]
    assert emails(people, Which(conditions=both, any_of=True)) == ["ann@x", "bob@x", "Cy@y"]


@pytest.mark.parametrize("sort", [None, "age", "email", "since", "paid"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_have_every_row_once(people: KeptTable, sort: str | None, descending: bool) -> None:
    whole = emails(people, sort=sort, descending=descending)
    paged: list[str] = []
    after = None
    while len(paged) < 9:
        page = people.find(WantedPage(sort=sort, descending=descending, limit=1, after=after))
        paged += [row["email"] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
    assert paged == whole
    assert len(whole) == len(ROWS)
    if sort == "age":
        assert [one for one in whole if one != "dee@y"] == sorted(
            (one for one in whole if one != "dee@y"), key=["bob@x", "ann@x", "Cy@y"].index, reverse=descending
        )


def test_a_page_is_bounded_by_bytes_but_never_empty(people: KeptTable) -> None:
    page = people.find(WantedPage(most_bytes=1))
    assert (page["count"], page["next"] is not None) == (1, True)


def test_values_come_back_exactly_in_the_order_of_the_columns(people: KeptTable) -> None:
    row = people.get(Which(key="ann@x"))
    assert row is not None
    assert list(row) == ["id", "email", "age", "paid", "since", "more", "createdAt", "updatedAt", "expiresAt"]
    assert (row["age"], row["paid"], row["since"]) == (40, True, "2026-01-01T00:00:00.000Z")
    assert list(row["more"]) == ["z", "a"]
    assert (people.get(Which(key="Cy@y")) or {})["age"] == 10**30
    assert people.get(Which(id=row["id"])) == row
    assert people.get(Which(key="nobody")) is None


class TestKeys:
    def test_of_others_are_refused(self, people: KeptTable) -> None:
        with pytest.raises(Conflict, match=r"^/rows/1/email: there is a row 'ann@x' already$"):
            add(people, {"email": "new@x"}, {"email": "ann@x"})
        assert people.get(Which(key="new@x")) is None, "all or nothing"

    def test_tell_what_is_new(self, people: KeptTable) -> None:
        rows = [{"email": name, "age": 1} for name in ("ann@x", "new@x", "new@x")]
        assert add(people, *rows, if_there=IfThere.KEEP) == [False, True, False]
        assert (people.get(Which(key="ann@x")) or {})["age"] == 40

    def test_name_the_row_that_is_changed(self, people: KeptTable) -> None:
        rows = [{"email": "ann@x", "age": 41}, {"email": "new@x", "age": 1}, {"email": "new@x", "paid": True}]
        assert add(people, *rows, if_there=IfThere.CHANGE) == [False, True, False]
        ann, new = people.get(Which(key="ann@x")) or {}, people.get(Which(key="new@x")) or {}
        assert (ann["age"], ann["paid"], new["age"], new["paid"]) == (41, True, 1, True)

    def test_can_be_changed_but_not_to_that_of_another(self, people: KeptTable) -> None:
        assert people.update(Which(key="ann@x"), {"email": "eve@x"}) == 1
        assert people.get(Which(key="ann@x")) is None
        with pytest.raises(Conflict, match="/values/email: there is a row 'bob@x' already"):
            people.update(Which(key="eve@x"), {"email": "bob@x"})
        with pytest.raises(Invalid, match="/values/email: is the key, which only one row can have"):
            people.update(by("email", "contains", "@y"), {"email": "same@y"})

    def test_are_needed_to_name_a_row(self, backends: Backends, owner: UUID) -> None:
        make_table(backends, owner, "plain", key=None)
        plain = tables_of(backends, owner).find("plain")
        assert add(plain, {"email": "same"}, {"email": "same"}) == [True, True]
        with pytest.raises(Invalid, match="/key: the table has no key column"):
            plain.get(Which(key="same"))


class TestChanges:
    def test_empty_what_is_null(self, people: KeptTable) -> None:
        assert people.update(by("paid", "isNotEmpty"), {"paid": None, "age": 3}) == 2
        assert emails(people, by("paid", "isNotEmpty")) == []
        assert people.count(by("age", "equals", 3)) == 2

    def test_delete_what_is_selected(self, people: KeptTable) -> None:
        assert people.delete(by("email", "contains", "@y")) == 2
        assert people.delete(Which(key="nobody")) == 0
        assert emails(people) == ["ann@x", "bob@x"]

    def test_of_too_many_rows_are_refused(self, people: KeptTable, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flowforge.kept_tables.MOST_ROWS", 3)
        with pytest.raises(Invalid, match="/conditions: hold for more than 3 rows"):
            people.delete(by("email", "contains", "@"))

    def test_are_exact_sums(self, people: KeptTable) -> None:
        assert people.increment(Which(key="ann@x"), "age", 0.1) == 40.1
        assert people.increment(Which(key="ann@x"), "age", 0.2) == 40.3
        assert people.increment(Which(key="Cy@y"), "age", -1) == 10**30 - 1
        assert people.increment(Which(key="new@x"), "age", 5) == 5, "a counter begins where there is none"
        with pytest.raises(Invalid, match="/column: must be a column of numbers"):
            people.increment(Which(key="ann@x"), "email", 1)
        with pytest.raises(Invalid, match="/amount: the sum must be a number of at most 1,000 digits"):
            people.increment(Which(key="Cy@y"), "age", 10**1_000 - 1)

    def test_by_many_at_once_are_all_counted(self, people: KeptTable) -> None:
        def count() -> None:
            for _ in range(10):
                people.increment(Which(key="bob@x"), "age", 1)

        threads = [threading.Thread(target=count) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (people.get(Which(key="bob@x")) or {})["age"] == 107.5

    def test_of_a_row_too_large_are_refused(self, people: KeptTable) -> None:
        with pytest.raises(Invalid, match="/rows: a row has at most 262,144 bytes"):
            add(people, {"email": "big@x", "more": "x" * 300_000})
        with pytest.raises(Invalid, match="a row has at most 262,144 bytes"):
            people.update(Which(key="ann@x"), {"more": "x" * 262_120})


class TestACall:
    """Of a step, which may be run again after it was killed."""

    def test_changes_rows_once(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        call = Call(uuid4(), uuid4(), "call-1", "step-1")
        again = tables_of(backends, owner, call=call).find("people")
        assert [again.increment(Which(key="ann@x"), "age", 1) for _ in range(3)] == [41, 41, 41]
        later = tables_of(backends, owner, call=Call(call.execution_id, uuid4(), "call-2", "step-1")).find("people")
        assert later.increment(Which(key="ann@x"), "age", 1) == 42

    def test_is_answered_as_the_first_time(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        adding = tables_of(backends, owner, call=Call(uuid4(), uuid4(), "call-1", "step-1")).find("people")
        assert [add(adding, {"email": "new@x"}) for _ in range(2)] == [[True], [True]]
        assert people.count(by("email", "equals", "new@x")) == 1

    def test_that_failed_is_not_taken_for_done(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        adding = tables_of(backends, owner, call=Call(uuid4(), uuid4(), "call-1", "step-1")).find("people")
        with pytest.raises(Conflict):
            add(adding, {"email": "ann@x"})
        people.delete(Which(key="ann@x"))
        assert add(adding, {"email": "ann@x"}) == [True]

    def test_is_forgotten_once_its_execution_is_over(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        tables_of(backends, owner, call=Call(uuid4(), uuid4(), "call-1", "step-1")).find("people").delete(
            Which(key="-")
        )
        assert prune(backends)["answers to changes of tables"] == 0
        with backends.engine.begin() as connection:
            connection.execute(text("UPDATE data_tables.writes SET created_at = now() - interval '2 days'"))
        assert prune(backends)["answers to changes of tables"] == 1


class TestExpiry:
    def test_hides_a_row_and_frees_its_key(self, backends: Backends, people: KeptTable) -> None:
        add(people, {"email": "new@x", "age": 1}, expire_after=timedelta(days=1))
        expire(backends)
        assert people.get(Which(key="new@x")) is None
        assert "new@x" not in emails(people)
        assert add(people, {"email": "new@x"}, if_there=IfThere.KEEP) == [True]
        assert (people.get(Which(key="new@x")) or {})["age"] is None

    def test_frees_its_key_for_a_row_that_is_changed(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        add(people, {"email": "new@x"}, expire_after=timedelta(days=1))
        expire(backends)
        assert people.update(Which(key="ann@x"), {"email": "new@x"}) == 1
        assert (people.get(Which(key="new@x")) or {})["age"] == 40
        assert room_of(backends, owner) == stored_room(backends)

    def test_is_as_the_table_says(self, backends: Backends, owner: UUID) -> None:
        make_table(backends, owner, "short", expireAfter=3)
        short = tables_of(backends, owner).find("short")
        add(short, {"email": "a"})
        assert (short.get(Which(key="a")) or {})["expiresAt"] is not None

    def test_rows_are_deleted_and_their_room_is_free(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        before = room_of(backends, owner)
        add(people, *({"email": f"{n}"} for n in range(5)), expire_after=timedelta(days=1))
        expire(backends)
        assert prune(backends)["rows of tables that have expired"] == 5
        assert room_of(backends, owner) == before == stored_room(backends)


class TestRoom:
    def test_is_counted_exactly(self, backends: Backends, owner: UUID, people: KeptTable) -> None:
        people.update(by("email", "contains", "@"), {"more": {"long": "x" * 500}})
        people.increment(Which(key="ann@x"), "age", 10**50)
        add(people, {"email": "ann@x", "paid": False}, {"email": "e"}, if_there=IfThere.CHANGE)
        people.delete(Which(key="bob@x"))
        assert room_of(backends, owner) == stored_room(backends)

    @pytest.mark.parametrize("limits", [Limits(5, 0), Limits(0, 400)])
    def test_ends(self, backends: Backends, owner: UUID, people: KeptTable, limits: Limits) -> None:
        tight = tables_of(backends, owner, limits).find("people")
        rows = [{"email": f"{n}" * 60} for n in range(2)]
        with pytest.raises(OverQuota, match="the tables of the account have"):
            add(tight, *rows, {"email": "x" * 300})
        assert people.count(Which()) == len(ROWS)
        assert tight.delete(Which(key="ann@x")) == 1, "deleting is always possible"

    def test_of_a_table_ends(self, people: KeptTable, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flowforge.db.data_tables_store.MOST_ROWS", 4)
        with pytest.raises(Conflict, match="a table has at most 4 rows, and people has 4"):
            add(people, {"email": "new@x"})


def test_rows_of_another_account_are_not_there(backends: Backends, people: KeptTable) -> None:
    stranger = tables_of(backends, account(backends))
    with pytest.raises(NotFound, match=r"^there is no table 'people'$"):
        stranger.find("people")
    with pytest.raises(NotFound):
        stranger.find_by_id(people.id)


def test_looking_through_rows_ends(people: KeptTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is given a millisecond, and a condition that takes longer."""

    def limit(connection: Any) -> None:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 1")

    monkeypatch.setattr(data_rows_store, "limit_time", limit)
    monkeypatch.setattr(
        data_rows_store,
        "count",
        lambda connection, *_: connection.scalar(text("SELECT count(*) FROM generate_series(1, 10000000)")),
    )
    with pytest.raises(TooMuchAtOnce, match="looking through the rows took longer than 5 seconds"):
        people.count(Which())


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ({"which": by("emial", "equals", 1)}, "/conditions/0/column: there is no column 'emial'; did you mean 'email'"),
        ({"which": by("age", "equals", "x")}, "/conditions/0/value: must be a number"),
        ({"which": by("age", "equals", None)}, "/conditions/0/value: is required"),
        ({"which": by("age", "contains", 1)}, "/conditions/0/operator: is for columns of text"),
        ({"which": by("more", "equals", 1)}, "/conditions/0/operator: must be isEmpty or isNotEmpty"),
        ({"which": by("age", "oneOf", 5)}, "/conditions/0/value: must be a list"),
        ({"sort": "x"}, "/sort: there is no column 'x'"),
        ({"sort": "more"}, "/sort: cannot be a column of JSON"),
        ({"after": "%%%"}, "/after: must be what 'next'"),
        ({"after": "WzFd"}, "/after: must be what 'next'"),
    ],
)
def test_what_cannot_be_asked_is_named(people: KeptTable, page: dict[str, Any], problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        people.find(WantedPage(**page))
    assert str(refused.value).startswith(problem)


def test_a_change_takes_a_bounded_number_of_statements(backends: Backends, people: KeptTable) -> None:
    with counting_statements(backends.engine) as one:
        add(people, {"email": "1"}, if_there=IfThere.KEEP)
    with counting_statements(backends.engine) as many:
        add(people, *({"email": f"n{n}"} for n in range(500)), if_there=IfThere.KEEP)
    assert len(one) == len(many) <= 9


def test_a_deleted_table_is_pruned_with_its_rows(backends: Backends, owner: UUID, people: KeptTable) -> None:
    with Session(backends.engine) as session:
        delete_table(session, owner, people.id, NO_LIMITS)
    assert room_of(backends, owner) == (0, 0)
    deleted = prune(backends)
    assert (deleted["rows of deleted tables"], deleted["deleted tables"]) == (len(ROWS), 1)
    assert stored_room(backends) == (0, 0)


def test_a_key_that_many_see_at_once_is_new_to_one(backends: Backends, owner: UUID) -> None:
    workflow, firsts = uuid4(), list[bool]()

    def see(number: int) -> None:
        tables = tables_of(backends, owner, call=Call(uuid4(), workflow, f"{number}-1", f"{number}"))
        firsts.append(tables.see("order 17", across_workflows=False, days=1)[0])

    threads = [threading.Thread(target=see, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(firsts), sum(firsts)) == (20, 1)
    assert room_of(backends, owner)[0] == 1


def test_remembered_keys_count_for_the_quota(backends: Backends, owner: UUID) -> None:
    tables = tables_of(backends, owner, Limits(1, 0), Call(uuid4(), uuid4(), "x-1", "x"))
    assert tables.see("a", across_workflows=False, days=1)[0]
    with pytest.raises(OverQuota):
        tables.see("b", across_workflows=False, days=1)
    assert tables.see("a", across_workflows=False, days=1)[0]


@pytest.mark.parametrize("which", [by("email", "equals", "new-7"), by("email", "oneOf", ["new-7", "new-8"])])
def test_equal_values_are_found_by_an_index(backends: Backends, people: KeptTable, which: Which) -> None:
    """PostgreSQL is asked for its plan, of the statement that was sent."""
    for first in range(0, 3_000, 1_000):
        add(people, *({"email": f"new-{first + n}", "more": "x" * 200} for n in range(1_000)))
    with backends.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE data_tables.rows"))
    sent: list[tuple[str, Any]] = []

    def listener(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(backends.engine, "before_cursor_execute", listener)
    people.count(which)
    event.remove(backends.engine, "before_cursor_execute", listener)
    statement, parameters = next(one for one in sent if "count(*)" in one[0])
    with backends.engine.connect() as connection:
        plan = " ".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
    assert "idx_rows_data" in plan
    assert "Seq Scan" not in plan
