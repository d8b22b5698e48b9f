"""The pages of administrators, and those that links from them lead to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import User
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import PASSWORD
from tests.services.smtp import Inbox, serving
from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_second_factor import set_up
from tests.waiting import eventually
from webapp import create_app

ACCOUNTS = "/administration/accounts"
NEW = "violet teapot drift"


@pytest.fixture
def bob(ada: Browser, signed_up: Callable[[str], Browser]) -> Browser:
    """A member; ada owns the instance."""
    return signed_up("bob")


def page_of(engine: Engine, name: str) -> str:
    with Session(engine) as session:
        return f"{ACCOUNTS}/{session.scalar(select(User.id).where(User.username == name))}"


def link_in(page: str, kind: str) -> str:
    """The path of the link that a page shows."""
    found = re.search(rf"http://localhost:\d+(/{kind}/[\w-]+)", page)
    assert found, page
    return found[1]


class TestAccounts:
    def test_only_administrators_have_the_page(self, ada: Browser, bob: Browser, engine: Engine) -> None:
        assert ACCOUNTS in ada.get("/administration/system").text
        assert ACCOUNTS not in bob.get("/settings").text
        assert bob.get(ACCOUNTS).status_code == 403
        assert bob.get(page_of(engine, "ada")).status_code == 403

    def test_a_page_that_no_list_has_is_empty(self, ada: Browser) -> None:
        assert "No matching accounts" in ada.get(f"{ACCOUNTS}?page=99999999999999999999").text

    @pytest.mark.usefixtures("bob")
    def test_each_is_listed_with_what_it_uses(self, ada: Browser) -> None:
        page = ada.get(ACCOUNTS).text

        assert re.findall(r'<a class="main"\s+href="/administration/accounts/[^"]+">(\w+)</a>', page) == ["ada", "bob"]
        assert "bob@example.test" in page
        assert "bob@example.test" not in ada.get(f"{ACCOUNTS}?q=ada").text

    def test_the_number_of_statements_does_not_depend_on_the_number_of_accounts(
        self, ada: Browser, signed_up: Callable[[str], Browser], backends: Backends
    ) -> None:
        def statements() -> int:
            with counting_statements(backends.engine) as sent:
                assert ada.get(ACCOUNTS).status_code == 200
            return len(sent)

        few = statements()
        for name in ("bob", "eve", "kim"):
            signed_up(name)
        assert statements() == few

    def test_disabling_signs_out_and_enabling_lets_in_again(
        self, ada: Browser, bob: Browser, visitor: Browser, engine: Engine
    ) -> None:
        page = page_of(engine, "bob")
        assert ada.send(f"{page}/disable", page).status_code == 303
        assert bob.get("/").status_code == 303
        refused = visitor.send("/sign-in", "/sign-in", username="bob", password=PASSWORD)
        assert refused.status_code == 403
        assert "This account is disabled; an administrator of this server can enable it." in refused.text

        ada.send(f"{page}/enable", page)
        assert visitor.send("/sign-in", "/sign-in", username="bob", password=PASSWORD).status_code == 303

    def test_quotas_are_kept_and_what_is_none_is_told_beside_its_field(
        self, ada: Browser, bob: Browser, engine: Engine
    ) -> None:
        page = page_of(engine, "bob")
        wrong = ada.send(f"{page}/quotas", page, workflows="many", executions_a_day="10", bytes="")
        assert wrong.status_code == 400
        assert "Workflows must be a whole number" in wrong.text
        assert 'value="many"' in wrong.text
        endless = ada.send(f"{page}/quotas", page, workflows="9" * 5000)
        assert "Workflows must be a whole number" in endless.text

        assert ada.send(f"{page}/quotas", page, workflows="0", executions_a_day="10", bytes="").status_code == 303
        values = dict(
            re.findall(r'name="(workflows|executions_a_day|bytes)"\s+type="text"\s+value="(\d*)"', ada.get(page).text)
        )
        assert values == {"workflows": "0", "executions_a_day": "10", "bytes": ""}

    def test_nobody_finds_a_button_for_what_they_may_not(self, ada: Browser, bob: Browser, engine: Engine) -> None:
        bobs, adas = page_of(engine, "bob"), page_of(engine, "ada")
        assert ada.send(f"{bobs}/make-administrator", bobs, password=PASSWORD).status_code == 303

        assert "/disable" not in ada.get(adas).text
        assert "/disable" not in bob.get(adas).text
        assert bob.send(f"{adas}/disable", "/settings").status_code == 403
        assert bob.send(f"{adas}/make-member", "/settings").status_code == 403

    @pytest.mark.usefixtures("bob")
    def test_nobody_is_made_an_administrator_without_the_password(self, ada: Browser, engine: Engine) -> None:
        bobs = page_of(engine, "bob")
        refused = ada.send(f"{bobs}/make-administrator", bobs, password="a guess")
        assert (refused.status_code, "Your password is wrong" in refused.text) == (400, True)
        refused = ada.send(f"{ACCOUNTS}/invitations", ACCOUNTS, role="admin", email="eve@example.test")
        assert (refused.status_code, "Your password is wrong" in refused.text) == (400, True)
        assert 'value="eve@example.test"' in refused.text
        assert re.search(r'value="admin"\s+selected', refused.text)

        assert ada.send(f"{ACCOUNTS}/invitations", ACCOUNTS, role="admin", password=PASSWORD).status_code == 200
        assert ada.send(f"{bobs}/make-administrator", bobs, password=PASSWORD).status_code == 303
        assert ada.send(f"{bobs}/make-member", bobs).status_code == 303

    def test_deleting_takes_an_heir_or_a_tick(self, ada: Browser, bob: Browser, engine: Engine) -> None:
        page = page_of(engine, "bob")
        refused = ada.send(f"{page}/delete", page, heir="nobody")
        assert (refused.status_code, "Hand over to must be the name of another account" in refused.text) == (400, True)

        assert ada.send(f"{page}/delete", page, heir="ADA").status_code == 303
        assert "bob was deleted. Its workflows and connections were handed over to ada." in ada.get(ACCOUNTS).text
        assert ada.get(page).status_code == 404
        assert bob.get("/").status_code == 303


class TestInvitations:
    def test_a_link_leads_to_a_page_where_one_registers(self, ada: Browser, visitor: Browser) -> None:
        made = ada.send(f"{ACCOUNTS}/invitations", ACCOUNTS, email="")
        link = link_in(made.text, "invitations")

        assert visitor.get(link).status_code == 200
        wrong = visitor.send(link, link, username="", email="eve@example.test", password=PASSWORD)
        assert (wrong.status_code, "User name must not be empty" in wrong.text) == (400, True)
        assert visitor.send(link, link, username="eve", email="eve@example.test", password=PASSWORD).status_code == 303
        assert "eve" in visitor.get("/settings").text
        assert visitor.get(link).status_code == 404

    def test_a_withdrawn_one_leads_nowhere(self, ada: Browser, visitor: Browser) -> None:
        link = link_in(ada.send(f"{ACCOUNTS}/invitations", ACCOUNTS, email="").text, "invitations")
        withdraw = re.search(rf'action="({ACCOUNTS}/invitations/[^"]+/withdraw)"', ada.get(ACCOUNTS).text)
        assert withdraw
        ada.send(withdraw[1], ACCOUNTS)

        assert "unknown, used or expired" in visitor.get(link).text

    def test_an_address_without_a_mail_server_is_told(self, ada: Browser) -> None:
        made = ada.send(f"{ACCOUNTS}/invitations", ACCOUNTS, email="eve@example.test")

        assert "No e-mail was sent: this server sends no mail" in made.text
        assert "eve@example.test" in ada.get(ACCOUNTS).text


@pytest.fixture
def mailing(settings: Settings) -> Iterator[tuple[Flask, Inbox]]:
    inbox = Inbox()
    with serving(inbox) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "f@x.test"}
        backends = Backends(settings.model_copy(update=mail), "test")
        yield create_app(backends=backends), inbox
        backends.close()


class TestASecondFactorOfSomebodyElse:
    """For whoever has lost the app and the recovery codes."""

    @pytest.fixture
    def bobs(self, engine: Engine, bob: Browser) -> str:
        set_up(bob)
        return page_of(engine, "bob")

    def test_is_removed_with_ones_own_password(
        self, ada: Browser, bobs: str, visitor: Browser, mailing: tuple[Flask, Inbox]
    ) -> None:
        app, inbox = mailing
        owner = Browser(app.test_client())
        owner.send("/sign-in", "/sign-in", username="ada", password=PASSWORD)
        refused = owner.send(f"{bobs}/second-factor/remove", bobs, password="a guess")
        assert (refused.status_code, "Your password is wrong" in refused.text) == (400, True)
        asked = visitor.send("/sign-in", "/sign-in", username="bob", password=PASSWORD)
        assert asked.headers["Location"].startswith("/sign-in/code")

        assert owner.send(f"{bobs}/second-factor/remove", bobs, password=PASSWORD).headers["Location"] == bobs
        assert "Disable two-factor authentication" not in owner.get(bobs).text
        let_in = visitor.send("/sign-in", "/sign-in", username="bob", password=PASSWORD)
        assert let_in.headers["Location"] == "/"

        [mail] = inbox.mails
        assert mail["To"] == "bob@example.test"
        assert "second factor of your account bob on FlowForge was removed" in mail.get_payload(decode=True).decode()
        assert "Two-factor authentication disabled" in ada.get("/audit-log").text

    def test_is_not_removed_by_members_nor_by_its_owner(self, ada: Browser, bob: Browser, bobs: str) -> None:
        refused = bob.send(f"{bobs}/second-factor/remove", "/settings", password=PASSWORD)
        assert refused.status_code == 403
        set_up(ada)
        assert ada.send(f"{bobs}/make-administrator", bobs, password=PASSWORD).status_code == 303
        [adas] = re.findall(rf'href="({ACCOUNTS}/[^"]+)">ada<', bob.get(ACCOUNTS).text)
        assert "Disable two-factor authentication" not in bob.get(adas).text
        for browser in (ada, bob):
            refused = browser.send(f"{adas}/second-factor/remove", "/settings", password=PASSWORD)
            assert refused.status_code == 403

    def test_stays_removed_where_the_mail_server_is_away(self, settings: Settings, ada: Browser, bobs: str) -> None:
        nobody = {"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_security": "none", "smtp_from": "f@x.test"}
        backends = Backends(settings.model_copy(update=nobody), "test")
        owner = Browser(create_app(backends=backends).test_client())
        owner.send("/sign-in", "/sign-in", username="ada", password=PASSWORD)
        owner.send(f"{bobs}/second-factor/remove", bobs, password=PASSWORD)
        assert "The account was not notified by e-mail" in owner.get(bobs).text
        assert "Disable two-factor authentication" not in ada.get(bobs).text
        backends.close()


def test_enabling_an_account_whose_password_is_published_shows_a_link(
    ada: Browser, signed_up: Callable[[str], Browser], visitor: Browser, engine: Engine
) -> None:
    signed_up("flowadmin")
    page = page_of(engine, "flowadmin")
    ada.send(f"{page}/disable", page)
    with Session(engine) as session:
        session.execute(update(User).where(User.username == "flowadmin").values(password="$2b$12$published"))
        session.commit()
    assert "everybody can read" in ada.get(page).text

    link = link_in(ada.send(f"{page}/enable", page).text, "password-resets")
    assert visitor.send(link, link, new=NEW).status_code == 303
    assert visitor.send("/sign-in", "/sign-in", username="flowadmin", password=NEW).status_code == 303
    assert "everybody can read" not in ada.get(page).text


class TestForgottenPassword:
    @pytest.mark.usefixtures("ada")
    def test_a_mail_leads_to_a_new_password(self, mailing: tuple[Flask, Inbox]) -> None:
        app, inbox = mailing
        browser = Browser(app.test_client())
        known, unknown = (
            browser.send("/password-resets", "/password-resets", account=name).text for name in ("ada", "nobody")
        )
        [mail] = eventually(lambda: inbox.mails)
        link = link_in(mail.get_payload(decode=True).decode(), "password-resets")

        assert known == unknown
        assert browser.send(link, link, new="password12").status_code == 400
        assert browser.send(link, link, new=NEW).headers["Location"] == "/sign-in?changed=1"
        assert "Your password was changed" in browser.get("/sign-in?changed=1").text
        assert browser.get(link).status_code == 404
        assert browser.send("/sign-in", "/sign-in", username="ada", password=NEW).status_code == 303

    def test_without_a_mail_server_the_page_says_who_helps(self, visitor: Browser) -> None:
        assert "flowforge users reset NAME" in visitor.get("/password-resets").text

    def test_an_administrator_makes_a_link(self, ada: Browser, bob: Browser, visitor: Browser, engine: Engine) -> None:
        page = page_of(engine, "bob")
        link = link_in(ada.send(f"{page}/password-reset", page).text, "password-resets")

        assert visitor.send(link, link, new=NEW).status_code == 303
        assert bob.get("/").status_code == 303

    def test_nobody_makes_one_for_themselves(self, ada: Browser, engine: Engine) -> None:
        assert ada.send(f"{page_of(engine, 'ada')}/password-reset", "/settings").status_code == 403

    def test_a_member_makes_none(self, bob: Browser, engine: Engine) -> None:
        assert bob.send(f"{page_of(engine, 'ada')}/password-reset", "/settings").status_code == 403


def test_administration_is_for_administrators(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    bob = signed_up("bob")
    assert 'href="/administration"' in ada.get("/").text
    assert 'href="/administration"' not in bob.get("/").text
    for path in ("/administration/system", "/administration/accounts"):
        assert (ada.get(path).status_code, bob.get(path).status_code) == (200, 403)


def test_the_system_page_names_workers_and_queues(ada: Browser) -> None:
    page = ada.get("/administration/system").text
    for text in ("Orchestrator", "Executor", "Log writer", "Not running", "Queues"):
        assert text in page


def test_members_keep_what_is_theirs(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    bob = signed_up("bob")
    assert "No failed messages" in bob.get("/failed-messages").text
    assert 'href="/failed-messages"' in bob.get("/executions").text
    assert 'href="/audit-log"' in bob.get("/settings").text


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("/dead-letters", "/failed-messages"),
        ("/settings/audit-log?action=secret.set", "/audit-log?action=secret.set"),
        ("/settings/accounts?q=b", "/administration/accounts?q=b"),
    ],
)
def test_former_addresses_lead_to_where_the_pages_are_now(ada: Browser, former: str, now: str) -> None:
    answer = ada.get(former)
    assert (answer.status_code, answer.location) == (301, now)
