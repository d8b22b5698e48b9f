"""Mails by the instance's own server: as many an account and day as are allowed, also when sent at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from flowforge.db.mail_allowance_store import MailAllowanceStore


@pytest.fixture
def account(engine: Engine) -> UUID:
    made = uuid4()
    row = {"id": made, "name": f"n-{made}", "email": f"{made}@x.test"}
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO auth.users (id, username, email, password) VALUES (:id, :name, :email, 'x')"), row
        )
    return made


def test_an_account_sends_as_many_as_it_may(engine: Engine, account: UUID) -> None:
    store = MailAllowanceStore(engine, 10)
    assert [store.take(account, recipients) for recipients in (11, 6, 5, 4, 1)] == [False, True, False, True, False]
    assert store.take(uuid4(), 10), "another account has its own"


def test_each_day_counts_by_itself(engine: Engine, account: UUID) -> None:
    store = MailAllowanceStore(engine, 1)
    assert store.take(account, 1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.daily_usage SET day = day - 1 WHERE user_id = :id"), {"id": account})
    assert store.take(account, 1)


@pytest.mark.parametrize(("own", "may"), [(1, False), (3, True), (0, True), (None, True)])
def test_an_account_may_have_a_number_of_its_own(engine: Engine, account: UUID, own: int | None, may: bool) -> None:
    with engine.begin() as connection:
        quota = "INSERT INTO auth.quotas (user_id, mails_a_day) VALUES (:id, :own)"
        connection.execute(text(quota), {"id": account, "own": own})
    assert MailAllowanceStore(engine, 2).take(account, 2) is may


def test_what_is_sent_at_once_is_not_more(engine: Engine, account: UUID) -> None:
    store = MailAllowanceStore(engine, 20)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: store.take(account, 3), range(16)))
    assert sum(taken) == 6
