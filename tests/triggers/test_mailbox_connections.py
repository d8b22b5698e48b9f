"""Mailboxes by connections: the account stands in one place, and triggers name it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.connectors.certificate import make_certificate
from tests.connectors.conftest import make_context, step_loop
from tests.connectors.running import tried_out
from tests.people import Person
from tests.services.imap import PASSWORD, USER, MailServer, running_imap
from tests.triggers.registrations import change, mailbox, subjects, trigger
from workers.polls import run_poll

__all__ = ["make_context", "step_loop"]

Ask = Callable[..., Any]
NAME = "orders-mailbox"


@pytest.fixture
def ask(client: FlaskClient, owner: Person) -> Ask:
    def send(method: str, path: str, body: Any = None) -> Any:
        return client.open(f"/api/v1{path}", method=method, json=body, headers=owner.headers)

    return send


@pytest.fixture
def folder(imap: MailServer) -> str:
    return imap.new_folder()


def account(imap: MailServer, **more: Any) -> dict[str, Any]:
    return {"host": imap.host, "port": imap.port, "security": "none", "username": USER, "password": PASSWORD, **more}


def connect(ask: Ask, imap: MailServer, **config: Any) -> dict[str, Any]:
    made = ask("POST", "/connections", {"name": NAME, "type": "imap", "config": account(imap, **config)})
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json
    return shown


def definition(**config: Any) -> dict[str, Any]:
    step = {"type": "TRANSFORM", "config": {"output": {"n": 1}}}
    return {"name": "Orders", "trigger": {"type": "email", "config": config}, "actions": [step]}


class TestPolling:
    def test_the_connection_gives_the_account(
        self, ask: Ask, backends: Backends, engine: Engine, owner: Person, imap: MailServer, folder: str
    ) -> None:
        connect(ask, imap)
        mails = mailbox(engine, {"connection": NAME, "folder": folder}, user_id=owner.id)
        imap.deliver("Order 17", folder=folder)
        run_poll(backends, mails)
        assert trigger(engine, mails)["last_error"] is None
        assert subjects(engine, mails) == ["Order 17"]

    def test_a_trigger_that_moves_to_a_connection_goes_on_where_it_was(
        self, ask: Ask, backends: Backends, engine: Engine, owner: Person, imap: MailServer, folder: str
    ) -> None:
        connect(ask, imap)
        mails = mailbox(engine, imap.config(folder), user_id=owner.id)
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        imap.deliver("two", folder=folder)
        change(engine, mails, configuration={"connection": NAME, "folder": folder}, updated_at=datetime.now(UTC))
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one", "two"]

    def test_a_connection_that_is_gone_is_told_and_nothing_is_lost_until_it_is_back(
        self, ask: Ask, backends: Backends, engine: Engine, owner: Person, imap: MailServer, folder: str
    ) -> None:
        connection = connect(ask, imap)
        mails = mailbox(engine, {"connection": NAME, "folder": folder}, user_id=owner.id)
        imap.deliver("before", folder=folder)
        run_poll(backends, mails)
        assert ask("DELETE", f"/connections/{connection['id']}").status_code == 204
        imap.deliver("meanwhile", folder=folder)
        run_poll(backends, mails)
        assert f"there is no connection '{NAME}'" in trigger(engine, mails)["last_error"]
        connect(ask, imap)
        assert trigger(engine, mails)["next_scheduled_at"] <= datetime.now(UTC)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["before", "meanwhile"]

    def test_a_password_that_is_put_right_counts_at_once(
        self, ask: Ask, backends: Backends, engine: Engine, owner: Person, imap: MailServer, folder: str
    ) -> None:
        connection = connect(ask, imap, password="hush hush")
        mails = mailbox(engine, {"connection": NAME, "folder": folder}, user_id=owner.id)
        run_poll(backends, mails)
        row = trigger(engine, mails)
        assert f"refuses user '{USER}'" in row["last_error"]
        assert "hush" not in row["last_error"]
        ask("PUT", f"/connections/{connection['id']}", {"config": account(imap)})
        assert trigger(engine, mails)["next_scheduled_at"] <= datetime.now(UTC)

    def test_that_of_somebody_else_is_not_found(
        self, ask: Ask, backends: Backends, engine: Engine, stranger: Person, imap: MailServer, folder: str
    ) -> None:
        connect(ask, imap)
        mails = mailbox(engine, {"connection": NAME, "folder": folder}, user_id=stranger.id)
        run_poll(backends, mails)
        assert "there is no connection" in trigger(engine, mails)["last_error"]


class TestDefinitions:
    def test_a_trigger_needs_no_account_of_its_own(self, ask: Ask, imap: MailServer) -> None:
        connect(ask, imap)
        made = ask("POST", "/workflows", definition(connection=NAME, folder="INBOX"))
        assert made.status_code == 201, made.text
        [registered] = ask("GET", f"/triggers?workflowId={made.json['id']}").json
        assert registered["configuration"] == {"connection": NAME, "folder": "INBOX"}
        assert ask("POST", f"/triggers/{registered['id']}/test").json["problem"] is None

    def test_a_connection_that_cannot_be_used_is_told_by_name(self, ask: Ask, imap: MailServer) -> None:
        connect(ask, imap)
        ask("POST", "/connections", {"name": "sending", "type": "smtp", "config": {"host": "mail.example.test"}})
        wrong = {
            "orders-mailbx": f"there is no connection 'orders-mailbx'; did you mean '{NAME}'?",
            "sending": "'sending' is a connection of the type smtp; this trigger needs imap or oauth2",
        }
        workflow = ask("POST", "/workflows", {**definition(), "trigger": {"type": "manual"}}).json["id"]
        for name, message in wrong.items():
            refused = ask("POST", "/workflows", definition(connection=name))
            told = [(detail["pointer"], detail["message"]) for detail in refused.json["details"]]
            assert told == [("/trigger/config/connection", message)]
            new = {"workflowId": workflow, "triggerType": "email", "configuration": {"connection": name}}
            refused = ask("POST", "/triggers", new)
            told = [(detail["pointer"], detail["message"]) for detail in refused.json["details"]]
            assert (refused.status_code, told) == (400, [("/configuration/connection", message)])

    def test_without_a_connection_the_account_is_asked_for(self, ask: Ask) -> None:
        refused = ask("POST", "/workflows", definition(folder="INBOX"))
        pointers = [detail["pointer"] for detail in refused.json["details"]]
        assert pointers == ["/trigger/config/username", "/trigger/config/password"]

    def test_what_a_trigger_uses_is_not_deleted_by_accident(self, ask: Ask, imap: MailServer) -> None:
        path = f"/connections/{connect(ask, imap)['id']}"
        made = ask("POST", "/workflows", definition(connection=NAME)).json
        refused = ask("DELETE", path)
        assert (refused.status_code, refused.json["message"]) == (409, "it is used by Orders")
        ask("DELETE", f"/workflows/{made['id']}")
        drafted = ask("POST", "/workflows", {**definition(), "name": "Drafted", "trigger": {"type": "manual"}}).json
        draft = {"definition": {**definition(connection=NAME), "name": "Drafted"}, "revision": 0}
        assert ask("PUT", f"/workflows/{drafted['id']}/draft", draft).status_code == 200
        assert ask("DELETE", path).json["message"] == "it is used by Drafted"
        assert ask("DELETE", f"{path}?force=true").status_code == 204


class TestTheConnection:
    def test_it_is_tried_out(self, ask: Ask, imap: MailServer) -> None:
        made = connect(ask, imap)
        assert made["config"]["password"] == MASK
        assert ask("POST", f"/connections/{made['id']}/test").json["problem"] is None
        ask("PUT", f"/connections/{made['id']}", {"config": account(imap, password="hush hush")})
        problem = ask("POST", f"/connections/{made['id']}/test").json["problem"]
        assert "with this password" in problem
        assert "hush" not in problem

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"host": None}, "host"),
            ({"username": None}, "username"),
            ({"password": "a\r\nX LOGOUT"}, "password"),
            ({"port": 70000}, "port"),
            ({"security": "some"}, "security"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_field(
        self, ask: Ask, imap: MailServer, wrong: dict[str, Any], field: str
    ) -> None:
        refused = ask("POST", "/connections", {"name": NAME, "type": "imap", "config": account(imap, **wrong)})
        assert [detail["pointer"] for detail in refused.json["details"]] == [f"/config/{field}"]

    def test_it_signs_in_over_starttls(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_context: Callable[..., StepContext]
    ) -> None:
        certificate = make_certificate(tmp_path, "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
        with running_imap(certificate) as server:
            saved = account(server, security="starttls")
            assert tried_out("imap", saved, make_context())
            monkeypatch.delenv("SSL_CERT_FILE")
            with pytest.raises(ConnectorError, match="no certificate that can be trusted"):
                tried_out("imap", saved, make_context())

    def test_a_server_without_starttls_gets_no_password(
        self, imap: MailServer, make_context: Callable[..., StepContext]
    ) -> None:
        with pytest.raises(ConnectorError, match="TLS not supported"):
            tried_out("imap", account(imap, security="starttls"), make_context())
