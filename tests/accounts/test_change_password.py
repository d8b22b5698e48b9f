"""Changing one's password."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.accounts import accounts, sign_ins
from flowforge.accounts.views import AccountView
from flowforge.errors import Invalid, NotFound, Unauthorized
from tests.accounts.conftest import OLD

NEW = "the new password"
WEEK = timedelta(days=7)


def test_only_the_new_one_counts_from_then_on(session: Session, ada: AccountView) -> None:
    accounts.change_password(session, ada.id, OLD, NEW)

    assert accounts.authenticate(session, "ada", NEW).id == ada.id
    with pytest.raises(Unauthorized):
        accounts.authenticate(session, "ada", OLD)


def test_every_device_is_signed_out(session: Session, ada: AccountView) -> None:
    tokens = [accounts.sign_in(session, "ada", OLD, WEEK)[1].refresh_token for _ in range(2)]

    accounts.change_password(session, ada.id, OLD, NEW)

    for token in tokens:
        with pytest.raises(Unauthorized):
            sign_ins.rotate(session, token, WEEK)


@pytest.mark.parametrize(
    ("current", "new", "pointer"),
    [("wrong", NEW, "/currentPassword"), (OLD, "short", "/newPassword"), (OLD, "x" * 257, "/newPassword")],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    session: Session, ada: AccountView, current: str, new: str, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.change_password(session, ada.id, current, new)

    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert accounts.authenticate(session, "ada", OLD).id == ada.id


def test_nobody_has_no_password(session: Session) -> None:
    with pytest.raises(NotFound):
        accounts.change_password(session, uuid4(), OLD, NEW)


def test_who_signs_in_with_the_old_one_at_that_moment_is_signed_out_too(engine: Engine, ada: AccountView) -> None:
    def sign_in() -> str | None:
        with Session(engine) as own:
            try:
                return accounts.sign_in(own, "ada", OLD, WEEK)[1].refresh_token
            except Unauthorized:
                return None

    def change() -> None:
        with Session(engine) as own:
            accounts.change_password(own, ada.id, OLD, NEW)

    with ThreadPoolExecutor(5) as pool:
        early = [pool.submit(sign_in) for _ in range(2)]
        changed = pool.submit(change)
        late = [pool.submit(sign_in) for _ in range(2)]
        changed.result()
        tokens = [future.result() for future in (*early, *late)]

    with Session(engine) as session:
        for token in filter(None, tokens):
            with pytest.raises(Unauthorized):
                sign_ins.rotate(session, token, WEEK)
