"""Deleting an account: what it has goes to another one or with it, and nothing of its history is left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flowforge.accounts import accounts, deletion, invitations, password_resets, registration
from flowforge.accounts.registration import NewAccount
from flowforge.connections.variables import list_variables, put_variable
from flowforge.connectors.tables import Which
from flowforge.db.tables import (
    Base,
    Connection,
    DailyUsage,
    ExecutionRow,
    Invitation,
    NamedSecret,
    PasswordReset,
    Role,
    TriggerEventRow,
    TriggerRegistration,
    User,
    Workflow,
)
from flowforge.engine import pruning
from flowforge.errors import Conflict, Forbidden, Invalid, Unauthorized
from flowforge.ids import uuid7
from flowforge.kept_tables import Call
from flowforge.logbook import LogQuery, NewEntry
from flowforge.wiring import Backends
from tests.data_tables.tables import add, make_table, room_of, stored_room, tables_of

PASSWORD = "violet teapot drift"


@pytest.fixture
def people(session: Session) -> dict[str, UUID]:
    """ada owns the instance."""
    names = ("ada", "bob", "eve")
    return {name: registration.add(session, NewAccount(name, f"{name}@example.test", PASSWORD)).id for name in names}


def give(session: Session, owner: UUID, **names: str) -> UUID:
    """A workflow with all that belongs to one, an execution that is over and one under way; returns its id."""
    made = Workflow(name="Orders", user_id=owner, key=names.get("key"))
    session.add(made)
    session.flush()
    session.add(
        TriggerRegistration(workflow_id=made.id, user_id=owner, trigger_type="webhook", webhook_token=str(owner))
    )
    session.add(Connection(user_id=owner, name=names.get("connection", f"slack-{owner}"), type="slack", config={}))
    session.add(NamedSecret(user_id=owner, name=names.get("secret", f"key-{owner}"), value="sealed"))
    for status, ended in (("COMPLETED", datetime.now(UTC)), ("RUNNING", None)):
        event = TriggerEventRow(
            workflow_id=made.id,
            user_id=owner,
            trigger_type="webhook",
            payload={},
            metadata_={},
            handled_at=datetime.now(UTC),
        )
        session.add(event)
        session.flush()
        session.add(
            ExecutionRow(
                workflow_id=made.id, user_id=owner, status=status, current_step=0, event_id=event.id, finished_at=ended
            )
        )
    session.commit()
    return made.id


def give_tables(backends: Backends, session: Session, owner: UUID) -> None:
    """A table with a row, a remembered key, and a variable."""
    make_table(backends, owner)
    call = Call(uuid7(), uuid7(), "call-1", "step-1")
    tables = tables_of(backends, owner, call=call)
    add(tables.find("people"), {"email": "a"})
    tables.see("key", across_workflows=True, days=1)
    put_variable(session, owner, "shop", "x")


def owned(session: Session, user_id: UUID) -> dict[str, int]:
    """The rows of every table that name the user, where there are any."""
    tables = [table for table in Base.metadata.sorted_tables if "user_id" in table.c]
    counts = {
        table.name: session.scalar(select(func.count()).select_from(table).where(table.c.user_id == user_id)) or 0
        for table in tables
    }
    return {name: count for name, count in counts.items() if count}


def logged(user_id: UUID) -> NewEntry:
    return NewEntry(uuid7().hex, user_id, None, None, None, "RESULT", "SUCCESS", {})


def test_everything_goes_with_it(session: Session, backends: Backends, people: dict[str, UUID]) -> None:
    give(session, people["bob"], key="orders")
    kept = give(session, people["eve"], key="orders")
    backends.logbook.append([logged(people["bob"]), logged(people["eve"])])

    done = deletion.delete(session, backends, people["bob"])

    assert (done.username, done.handed_over_to, done.cancelled) == ("bob", None, 1)
    assert (done.belongings.workflows, done.belongings.connections, done.belongings.secrets) == (1, 1, 1)
    assert owned(session, people["bob"]).keys() == {
        "removed_accounts",
        "trigger_events",
        "workflow_executions",
        "execution_logs",
    }
    pruning.prune(backends, datetime.now(UTC) + timedelta(seconds=1))
    assert owned(session, people["bob"]).keys() == {"removed_accounts"}
    pruning.prune(backends, datetime.now(UTC) + timedelta(days=2))
    assert owned(session, people["bob"]) == {}
    assert session.get(Workflow, kept) is not None
    assert backends.logbook.find(LogQuery(people["eve"]), page=0, size=10).total == 1


def test_what_works_is_handed_over_and_goes_on(session: Session, backends: Backends, people: dict[str, UUID]) -> None:
    workflow_id = give(session, people["bob"], key="orders", connection="slack", secret="key")

    done = deletion.delete(session, backends, people["bob"], people["eve"])

    assert (done.handed_over_to, done.cancelled) == ("eve", 0)
    heirs = owned(session, people["eve"])
    assert {name: heirs[name] for name in ("workflows", "trigger_registrations", "connections", "named_secrets")} == {
        "workflows": 1,
        "trigger_registrations": 1,
        "connections": 1,
        "named_secrets": 1,
    }
    under_way = select(ExecutionRow.user_id).where(
        ExecutionRow.workflow_id == workflow_id, ExecutionRow.status == "RUNNING"
    )
    assert session.scalars(under_way).all() == [people["eve"]]


@pytest.mark.parametrize("name", ["key", "connection", "secret"])
def test_names_that_both_have_are_told_before_anything_is_done(
    session: Session, backends: Backends, people: dict[str, UUID], name: str
) -> None:
    for owner in (people["bob"], people["eve"]):
        give(session, owner, **{name: "same"})

    with pytest.raises(Conflict, match=r"eve has .* by the same names, too: same"):
        deletion.delete(session, backends, people["bob"], people["eve"])

    assert accounts.authenticate(session, "bob", PASSWORD).username == "bob"


def test_the_name_is_free_and_the_password_gone(session: Session, backends: Backends, people: dict[str, UUID]) -> None:
    deletion.delete(session, backends, people["bob"])

    with pytest.raises(Unauthorized):
        accounts.authenticate(session, "bob", PASSWORD)
    assert registration.add(session, NewAccount("Bob", "bob@example.test", PASSWORD)).id != people["bob"]


def test_the_owner_stays_and_an_heir_must_be_another(
    session: Session, backends: Backends, people: dict[str, UUID]
) -> None:
    with pytest.raises(Forbidden):
        deletion.delete(session, backends, people["ada"])
    for heir in (people["bob"], uuid7()):
        with pytest.raises(Invalid) as refused:
            deletion.delete(session, backends, people["bob"], heir)
        assert [problem.pointer for problem in refused.value.problems] == ["/handOverTo"]
    assert session.scalar(select(func.count()).select_from(User)) == 3


def test_upkeep_deletes_links_and_days_that_are_over(
    session: Session, backends: Backends, people: dict[str, UUID]
) -> None:
    for email in ("old@example.test", "new@example.test"):
        invitations.create(session, people["ada"], email, Role.MEMBER)
    password_resets.begin(session, people["bob"])
    password_resets.begin(session, people["eve"])
    session.add_all(DailyUsage(user_id=people["bob"], day=day) for day in (date(2026, 1, 2), datetime.now(UTC).date()))
    session.execute(update(Invitation).where(Invitation.email == "old@example.test").values(expires_at=func.now()))
    session.execute(update(PasswordReset).where(PasswordReset.user_id == people["bob"]).values(expires_at=func.now()))
    session.commit()

    deleted = pruning.prune(backends, datetime.now(UTC) + timedelta(seconds=1))

    assert [deleted[kind] for kind in ("invitations", "password resets", "days of usage")] == [1, 1, 1]


def test_tables_and_variables_go_with_the_account(
    session: Session, backends: Backends, people: dict[str, UUID]
) -> None:
    give_tables(backends, session, people["bob"])
    deletion.delete(session, backends, people["bob"])
    later = datetime.now(UTC) + timedelta(days=3)
    for _ in range(2):
        pruning.prune(backends, later)
    assert owned(session, people["bob"]) == {}
    assert stored_room(backends) == (0, 0)


def test_tables_and_variables_are_handed_over(session: Session, backends: Backends, people: dict[str, UUID]) -> None:
    give_tables(backends, session, people["bob"])
    had = room_of(backends, people["bob"])
    deletion.delete(session, backends, people["bob"], people["eve"])
    heirs = tables_of(backends, people["eve"], call=Call(uuid7(), uuid7(), "call-2", "step-2"))
    assert heirs.find("people").count(Which()) == 1
    assert heirs.see("key", across_workflows=True, days=1)[0] is False
    assert room_of(backends, people["eve"]) == had
    assert [variable.name for variable in list_variables(session, people["eve"])] == ["shop"]


def test_an_heir_with_a_table_of_the_same_name_is_refused(
    session: Session, backends: Backends, people: dict[str, UUID]
) -> None:
    for name in ("bob", "eve"):
        make_table(backends, people[name])
    with pytest.raises(Conflict, match="eve has tables by the same names, too: people"):
        deletion.delete(session, backends, people["bob"], people["eve"])
