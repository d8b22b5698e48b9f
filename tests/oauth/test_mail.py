"""Mailboxes that start workflows, and mails that are sent, by a sign-in with OAuth 2.0: no password is anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.connections.connections import Connections
from flowforge.connections.sign_ins import Browser, SignIns
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import ConnectionBroken, ConnectorError, MailTarget
from flowforge.db.tables import OAuthGrant
from flowforge.engine.account_access import AccountAccess
from flowforge.oauth.tokens import Grant, Tokens
from flowforge.settings import Settings
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from tests.connectors.running import run
from tests.oauth.connected import NAME, OWNER, age, connect, context_of, sign_in
from tests.services.imap import MailServer
from tests.services.mail_bearers import BearerFront, BearerInbox, serving_front
from tests.services.oauth_provider import PERSON, Provider
from tests.services.smtp import serving
from tests.triggers.registrations import mailbox, register, subjects, trigger
from workers.polls import run_poll


@pytest.fixture
def folder(imap: MailServer) -> str:
    return imap.new_folder()


@pytest.fixture
def front(imap: MailServer, provider: Provider) -> Iterator[BearerFront]:
    with serving_front(imap, lambda user, token: user == PERSON and is_good(provider, token)) as front:
        yield front
        assert front.misunderstood == []


@pytest.fixture
def connection(backends: Backends, provider: Provider) -> UUID:
    """One that Ada has signed in with."""
    connection_id = connect(backends, provider)
    sign_in_as(backends, provider, connection_id)
    return connection_id


def is_good(provider: Provider, token: str) -> bool:
    found = provider.find(token)
    return found is not None and not found.revoked


def sign_in_as(backends: Backends, provider: Provider, connection_id: UUID, identity: str | None = PERSON) -> Tokens:
    tokens = sign_in(backends, provider, connection_id)
    with Session(backends.engine) as session:
        session.get_one(OAuthGrant, connection_id).identity = identity
        session.commit()
    return tokens


def sign_in_again(backends: Backends, provider: Provider, connection_id: UUID) -> None:
    """As the callback of the provider does."""
    issued, browser = provider.issue(), Browser(OWNER, uuid4())
    grant = Grant(Tokens(issued.access_token, issued.refresh_token), timedelta(hours=1), None, {"email": PERSON})
    signing = SignIns(backends)
    with Session(backends.engine) as session:
        client = signing._client(signing._load(session, OWNER, connection_id))
        signing._keep(session, browser, connection_id, client, grant)


def polling(settings: Settings, trigger_id: UUID) -> subprocess.Popen[bytes]:
    given = {"postgres_url_setting": settings.postgres_url, "redis_url": settings.redis_url, "home": str(settings.home)}
    return subprocess.Popen([sys.executable, "-m", "tests.oauth.polling_process", json.dumps(given), str(trigger_id)])


class TestMailboxes:
    def test_a_mail_becomes_an_event(
        self, backends: Backends, engine: Engine, imap: MailServer, front: BearerFront, folder: str, connection: UUID
    ) -> None:
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        imap.deliver("Order 17", folder=folder)
        run_poll(backends, mails)
        assert trigger(engine, mails)["last_error"] is None
        assert subjects(engine, mails) == ["Order 17"]

    def test_a_server_may_know_the_other_mechanism_alone(
        self, backends: Backends, engine: Engine, imap: MailServer, provider: Provider, folder: str, connection: UUID
    ) -> None:
        with serving_front(imap, lambda user, token: is_good(provider, token), "OAUTHBEARER") as front:
            mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
            imap.deliver("one", folder=folder)
            run_poll(backends, mails)
            provider.revoke_all()
            run_poll(backends, mails)
        assert subjects(engine, mails) == ["one"]
        assert front.misunderstood == []

    def test_a_server_without_such_a_sign_in_is_told(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str, connection: UUID
    ) -> None:
        mails = mailbox(
            engine, {**imap.config(folder), "username": "", "password": "", "connection": NAME}, user_id=OWNER
        )
        run_poll(backends, mails)
        assert "has no sign-in by OAuth 2.0" in trigger(engine, mails)["last_error"]

    def test_a_token_that_is_about_to_end_is_renewed_once_for_polls_of_two_processes(
        self,
        backends: Backends,
        settings: Settings,
        engine: Engine,
        imap: MailServer,
        front: BearerFront,
        folder: str,
        connection: UUID,
        provider: Provider,
    ) -> None:
        provider.rotates, provider.delay = True, 4
        age(backends, connection, ends_in=-1)
        triggers = [mailbox(engine, front.config(folder, NAME), user_id=OWNER) for _ in range(2)]
        imap.deliver("one", folder=folder)
        processes = [polling(settings, each) for each in triggers]
        assert [process.wait(120) for process in processes] == [0, 0]
        assert [subjects(engine, each) for each in triggers] == [["one"], ["one"]]
        assert len(provider.refreshes()) == 1

    def test_a_token_that_was_revoked_before_its_time_is_replaced(
        self,
        backends: Backends,
        engine: Engine,
        imap: MailServer,
        front: BearerFront,
        folder: str,
        connection: UUID,
        provider: Provider,
    ) -> None:
        provider.expire_access()
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one"]
        assert (len(front.tried), len(provider.refreshes())) == (2, 1)

    def test_a_sign_in_that_is_refused_is_told_with_the_servers_reason(
        self,
        backends: Backends,
        engine: Engine,
        front: BearerFront,
        folder: str,
        connection: UUID,
    ) -> None:
        front.accepts = lambda user, token: False
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        run_poll(backends, mails)
        told = trigger(engine, mails)["last_error"]
        assert f"refuses the sign-in of '{PERSON}': status 401, scope https://mail.google.com/" in told
        assert not any(token in told for token in front.tried)

    def test_a_server_that_ends_the_session_loses_nothing(
        self, backends: Backends, engine: Engine, imap: MailServer, front: BearerFront, folder: str, connection: UUID
    ) -> None:
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        imap.deliver("one", folder=folder)
        front.cuts.set()
        run_poll(backends, mails)
        assert trigger(engine, mails)["last_error"] is not None
        front.cuts.clear()
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one"]

    def test_a_shared_mailbox_has_a_name_of_its_own(
        self, backends: Backends, engine: Engine, imap: MailServer, front: BearerFront, folder: str, connection: UUID
    ) -> None:
        came = []
        front.accepts = lambda user, token: not came.append(user)  # type: ignore[func-returns-value]
        run_poll(backends, mailbox(engine, front.config(folder, NAME, username="orders@example.test"), user_id=OWNER))
        assert came == ["orders@example.test"]


class TestSignInsThatHaveEnded:
    def test_mails_wait_and_come_once_somebody_has_signed_in_again(
        self,
        backends: Backends,
        engine: Engine,
        imap: MailServer,
        front: BearerFront,
        folder: str,
        connection: UUID,
        provider: Provider,
    ) -> None:
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        imap.deliver("before", folder=folder)
        run_poll(backends, mails)
        provider.revoke_all()
        imap.deliver("meanwhile", folder=folder)
        for _ in range(2):
            run_poll(backends, mails)
        row = trigger(engine, mails)
        assert "has to be signed in with again" in row["last_error"]
        assert "the mails wait in the mailbox" in row["last_error"]
        assert row["next_scheduled_at"] > datetime.now(UTC)
        assert len(provider.asked) == 1, "a broken connection asks nobody"

        sign_in_again(backends, provider, connection)
        assert trigger(engine, mails)["next_scheduled_at"] <= datetime.now(UTC)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["before", "meanwhile"]

    def test_what_others_wait_for_is_left_alone(
        self, backends: Backends, engine: Engine, connection: UUID, provider: Provider
    ) -> None:
        later = datetime.now(UTC) + timedelta(hours=1)
        failed = {"user_id": OWNER, "last_error_at": datetime.now(UTC), "next_scheduled_at": later}
        others = [
            register(engine, "email", {"connection": "another"}, **failed),
            register(engine, "email", {"connection": NAME}, **failed | {"user_id": uuid4()}),
            register(engine, "scheduler", {"connection": NAME, "intervalMinutes": 60}, **failed),
            register(engine, "email", {"connection": NAME}, **failed | {"enabled": False}),
            register(engine, "email", {"connection": NAME}, **failed | {"last_error_at": None}),
        ]
        sign_in_again(backends, provider, connection)
        assert [trigger(engine, other)["next_scheduled_at"] for other in others] == [later] * len(others)

    def test_before_anybody_has_signed_in_the_trigger_says_so(
        self, backends: Backends, engine: Engine, front: BearerFront, folder: str, provider: Provider
    ) -> None:
        connect(backends, provider)
        mails = mailbox(engine, front.config(folder, NAME), user_id=OWNER)
        run_poll(backends, mails)
        assert "nobody has signed in" in trigger(engine, mails)["last_error"]


class TestHosts:
    def target(self, backends: Backends, target: MailTarget) -> Any:
        access = AccountAccess(backends, OWNER, time.monotonic() + 5)
        return access.connection(NAME, [OAUTH2]).mail_account(target)

    @pytest.mark.parametrize(
        ("preset", "target", "server"),
        [
            ("google", MailTarget("imap"), "imap.gmail.com:993"),
            ("google", MailTarget("smtp"), "smtp.gmail.com:587"),
            ("google-mail", MailTarget("smtp", security="tls"), "smtp.gmail.com:465"),
            ("microsoft-mail", MailTarget("imap"), "outlook.office365.com:993"),
            ("microsoft-mail", MailTarget("smtp"), "smtp.office365.com:587"),
            ("microsoft-mail", MailTarget("smtp", "smtp-mail.outlook.com"), "smtp-mail.outlook.com:587"),
        ],
    )
    def test_a_preset_knows_its_servers(
        self, backends: Backends, provider: Provider, preset: str, target: MailTarget, server: str
    ) -> None:
        sign_in_as(backends, provider, connect(backends, provider, preset=preset))
        account = self.target(backends, target)
        assert (account.server, account.username) == (server, PERSON)
        assert account.security in ("tls", "starttls")

    @pytest.mark.parametrize("preset", ["google", "google-mail", "microsoft-mail", "github"])
    def test_the_tokens_of_a_preset_go_to_no_other(self, backends: Backends, provider: Provider, preset: str) -> None:
        sign_in_as(backends, provider, connect(backends, provider, preset=preset))
        with pytest.raises(ConnectorError, match=r"secrets are not sent to imap\.evil\.test"):
            self.target(backends, MailTarget("imap", "imap.evil.test"))

    def test_a_preset_without_mail_servers_names_none(self, backends: Backends, provider: Provider) -> None:
        sign_in_as(backends, provider, connect(backends, provider, preset="github"))
        with pytest.raises(ConnectorError, match="host: is required"):
            self.target(backends, MailTarget("imap"))

    def test_a_provider_that_tells_no_name_is_asked_for_one(self, backends: Backends, provider: Provider) -> None:
        sign_in_as(backends, provider, connect(backends, provider, preset="google-mail"), identity=None)
        with pytest.raises(ConnectorError, match="username: is required"):
            self.target(backends, MailTarget("imap"))


class TestTrials:
    def test_a_connection_is_tried_at_a_mail_server(
        self, backends: Backends, front: BearerFront, provider: Provider
    ) -> None:
        connection = connect(backends, provider, testUrl=f"imap://127.0.0.1:{front.port}")
        sign_in_as(backends, provider, connection)
        assert self.problem(backends, connection) is None
        provider.revoke_all()
        assert "signed in with again" in str(self.problem(backends, connection))

    def test_at_one_that_sends_mails_too(self, backends: Backends, provider: Provider) -> None:
        with serving(BearerInbox(lambda user, token: is_good(provider, token)), auth_require_tls=False) as port:
            connection = connect(backends, provider, testUrl=f"smtp://127.0.0.1:{port}")
            sign_in_as(backends, provider, connection)
            assert self.problem(backends, connection) is None

    @pytest.mark.parametrize("address", ["imaps://", "imap://[", "smtp://127.0.0.1:99999"])
    def test_an_address_that_is_none_is_told(self, backends: Backends, provider: Provider, address: str) -> None:
        connection = connect(backends, provider, testUrl=address)
        sign_in_as(backends, provider, connection)
        assert self.problem(backends, connection)

    def test_a_trigger_is_tried_by_its_connection(
        self, backends: Backends, front: BearerFront, folder: str, connection: UUID
    ) -> None:
        triggers = Triggers(backends.settings, backends.vault)
        config = front.config(folder, NAME)
        assert triggers.test_configuration(backends, OWNER, "email", config).problem is None
        missing = triggers.test_configuration(backends, OWNER, "email", {**config, "connection": "gone"})
        assert missing.problem == "there is no connection 'gone' of the type imap or oauth2"
        assert triggers.test_configuration(backends, uuid4(), "email", config).problem, "somebody else's"

    def problem(self, backends: Backends, connection_id: UUID) -> str | None:
        with Session(backends.engine) as session:
            tested = Connections(load_catalog(), backends.vault).test(session, backends, OWNER, connection_id)
        assert tested.tested_at is not None
        return tested.problem


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
class TestSending:
    @pytest.fixture
    def inbox(self, provider: Provider) -> Iterator[BearerInbox]:
        inbox = BearerInbox(lambda user, token: user == PERSON and is_good(provider, token))
        yield inbox
        assert inbox.misunderstood == []

    def send(self, backends: Backends, inbox: BearerInbox, **config: Any) -> Any:
        with serving(inbox, auth_required=True, auth_require_tls=False) as port:
            server = {"host": "127.0.0.1", "port": port, "security": "none"}
            context = context_of(backends)
            return run("SEND_EMAIL", {**server, "to": "a@x.test", "text": "Hello", **config}, context)

    def test_a_mail_is_sent_as_whoever_has_signed_in(
        self, backends: Backends, inbox: BearerInbox, connection: UUID
    ) -> None:
        assert self.send(backends, inbox)["accepted"]
        [mail] = inbox.mails
        assert mail["From"] == PERSON

    def test_a_token_that_was_revoked_before_its_time_is_replaced(
        self, backends: Backends, inbox: BearerInbox, connection: UUID, provider: Provider
    ) -> None:
        provider.expire_access()
        assert self.send(backends, inbox)["accepted"]
        assert len(inbox.tried) == 2

    def test_a_sign_in_that_is_refused_fails_the_step_with_the_servers_reason(
        self, backends: Backends, inbox: BearerInbox, connection: UUID
    ) -> None:
        inbox.accepts = lambda user, token: False
        with pytest.raises(ConnectorError, match=r"status 401, scope https://mail.google.com/; 535") as refused:
            self.send(backends, inbox)
        assert refused.value.permanent

    def test_a_sign_in_that_has_ended_lets_the_step_wait(
        self, backends: Backends, inbox: BearerInbox, connection: UUID, provider: Provider
    ) -> None:
        provider.revoke_all()
        with pytest.raises(ConnectionBroken):
            self.send(backends, inbox)
        assert inbox.mails == []
