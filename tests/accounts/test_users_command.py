"""`python -m flowforge users …`: the operator's way to the accounts, whatever state they are in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyotp.totp import TOTP
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flowforge.__main__ import main
from flowforge.accounts import accounts, password_resets, registration, second_factor
from flowforge.accounts.registration import NewAccount
from flowforge.accounts.second_factor import CodeNeeded, SecondStep
from flowforge.accounts.views import AccountView
from flowforge.db.tables import Role, User
from flowforge.errors import Forbidden
from flowforge.secrets import Vault, new_key

PASSWORD = "violet teapot drift"


@pytest.fixture
def users(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command; returns what it says. Fails unless the exit code is `code`."""
    monkeypatch.chdir(tmp_path)  # no .env of a developer's
    monkeypatch.setenv("POSTGRES_URL", database_url)
    monkeypatch.setenv("WEBHOOK_BASE_URL", "https://flows.example.test")

    def run(*arguments: str, code: int = 0) -> str:
        assert main(["users", *arguments]) == code
        return capsys.readouterr().out

    return run


@pytest.fixture
def people(session: Session) -> dict[str, AccountView]:
    """The owner first."""
    return {
        name: registration.add(session, NewAccount(name, f"{name}@example.test", PASSWORD)) for name in ("ada", "Bob")
    }


@pytest.mark.usefixtures("people")
def test_enable_gives_a_link_where_the_password_was_published(users: Callable[..., str], session: Session) -> None:
    published = {"username": "flowadmin", "name_key": "flowadmin", "password": "$2b$12$published"}
    session.execute(update(User).where(User.username == "Bob").values(published))
    session.commit()
    users("disable", "flowadmin")

    said = users("enable", "flowadmin")

    link = re.search(r"https://flows\.example\.test/password-resets/(\S+)", said)
    assert link
    password_resets.complete(session, link[1], "another teapot drift")
    assert accounts.authenticate(session, "flowadmin", "another teapot drift").username == "flowadmin"
    assert users("enable", "flowadmin") == "flowadmin is enabled.\n"


def role_of(session: Session, name: str) -> str:
    return str(session.scalar(select(User.role).where(User.username == name)))


@pytest.mark.usefixtures("people")
def test_list_shows_each_with_role_and_state(users: Callable[..., str]) -> None:
    users("disable", "bob")

    _, ada, bob = users("list").splitlines()

    assert re.fullmatch(r"ada +ada@example\.test +owner +\d{4}-\d\d-\d\d", ada)
    assert re.fullmatch(r"Bob +Bob@example\.test +member +\d{4}-\d\d-\d\d +disabled since \d{4}-\d\d-\d\d", bob)


def test_add_gives_a_link_by_which_the_password_is_set(users: Callable[..., str], session: Session) -> None:
    said = users("add", "ada", "ada@example.test")

    assert said.startswith("ada was added as owner.")
    link = re.search(r"https://flows\.example\.test/password-resets/(\S+)", said)
    assert link
    password_resets.complete(session, link[1], PASSWORD)
    assert accounts.authenticate(session, "ada", PASSWORD).username == "ada"


@pytest.mark.usefixtures("people")
def test_add_makes_administrators(users: Callable[..., str], session: Session) -> None:
    assert users("add", "eve", "eve@example.test", "--admin").startswith("eve was added as admin.")
    assert role_of(session, "eve") == Role.ADMIN


@pytest.mark.usefixtures("people")
def test_what_cannot_be_done_is_told(users: Callable[..., str]) -> None:
    assert users("add", "ADA", "nowhere", code=1) == "/email: must be an e-mail address, such as name@example.com\n"
    assert users("add", "ADA", "new@example.test", code=1) == "/username: is taken\n"
    assert users("disable", "nobody", code=1) == "there is no account 'nobody'\n"
    assert users("disable", "ada", code=1).startswith("ada owns this server, and cannot be disabled")


def test_reset_gives_a_link(users: Callable[..., str], session: Session, people: dict[str, AccountView]) -> None:
    token = users("reset", "BOB").strip().rpartition("/")[2]

    assert password_resets.complete(session, token, "another good one").id == people["Bob"].id


@pytest.mark.usefixtures("people")
def test_disable_and_enable(users: Callable[..., str], session: Session) -> None:
    users("disable", "bob")
    with pytest.raises(Forbidden, match="disabled"):
        accounts.authenticate(session, "Bob", PASSWORD)
    users("enable", "bob")
    assert accounts.authenticate(session, "Bob", PASSWORD).username == "Bob"


@pytest.mark.usefixtures("people")
def test_roles(users: Callable[..., str], session: Session) -> None:
    assert users("make-admin", "bob") == "Bob: admin.\n"
    assert users("make-member", "bob") == "Bob: member.\n"
    assert users("make-owner", "bob") == "Bob: owner.\n"
    assert (role_of(session, "ada"), role_of(session, "Bob")) == (Role.ADMIN, Role.OWNER)


@pytest.mark.usefixtures("people")
def test_make_admin_makes_an_owner_where_there_is_none(users: Callable[..., str], session: Session) -> None:
    session.execute(update(User).values(role=Role.MEMBER))
    session.commit()

    assert users("make-admin", "ada") == "ada: owner.\n"


def test_who_has_lost_the_second_factor_is_let_in_by_the_operator(
    users: Callable[..., str], session: Session, people: dict[str, AccountView]
) -> None:
    vault = Vault([new_key()])
    secret = second_factor.begin_setup(session, vault, people["Bob"].id).secret
    second_factor.confirm_setup(session, people["Bob"].id, SecondStep(vault, TOTP(secret).now()))
    with pytest.raises(CodeNeeded):
        accounts.authenticate(session, "Bob", PASSWORD)

    assert "password alone" in users("reset-second-factor", "bob")

    assert accounts.authenticate(session, "Bob", PASSWORD).id == people["Bob"].id


@pytest.mark.usefixtures("people")
def test_delete_says_what_there_is_and_does_nothing_until_it_is_told_what_to_do(users: Callable[..., str]) -> None:
    had = "0 workflows, 0 triggers, 0 connections and 0 secrets"
    assert users("delete", "bob") == f"Bob has {had}. Say --hand-over-to NAME or --everything; nothing was done.\n"
    assert users("delete", "bob", "--hand-over-to", "ada") == f"Bob is deleted. It had {had}: ada has them now.\n"
    assert users("delete", "bob", code=1) == "there is no account 'bob'\n"
    assert users("delete", "ada", "--everything", code=1).startswith("ada owns this server, and cannot be disabled")
