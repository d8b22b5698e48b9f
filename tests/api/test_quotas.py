"""Quotas: whoever has used up theirs is told so where the work would be accepted, and nobody else notices."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text, update
from sqlalchemy.orm import Session

from flowforge.accounts import quotas, usage
from flowforge.accounts.quotas import Quotas
from flowforge.db.tables import TriggerEventRow, TriggerRegistration
from flowforge.settings import Settings
from flowforge.triggers.polling.due import take_due
from flowforge.triggers.schedules.firing import fire_due
from flowforge.wiring import Backends
from tests.api.things import WORKFLOWS, accepted_events, execution, trigger, triggers_of, workflow
from tests.people import Person
from tests.statements import counting_statements
from tests.triggers.test_form import FormPage

LATER = usage.SETTLED + timedelta(seconds=1)
USED_UP = "the account has used up its executions of today (UTC)"


def address_of(client: FlaskClient, person: Person) -> str:
    return f"/webhook/{trigger(client, person, workflow(client, person)['id'])['webhookToken']}"


def allow(engine: Engine, person: Person, **own: int) -> None:
    with Session(engine) as session:
        quotas.set_own(session, person.id, Quotas(**own))


def count(backends: Backends, after: timedelta = LATER) -> int:
    return usage.count(backends, datetime.now(UTC) + after)


def used(engine: Engine, settings: Settings, person: Person) -> Any:
    with Session(engine) as session:
        return usage.usage_of(session, settings, [person.id])[person.id]


class TestExecutionsOfADay:
    @pytest.fixture
    def spent(self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine) -> None:
        """The owner's quota of two, used up."""
        allow(engine, owner, executions_a_day=2)
        for _ in range(2):
            assert client.post(address).status_code == 200
        assert count(backends) == 1

    @pytest.mark.usefixtures("spent")
    def test_a_webhook_says_so_and_stores_nothing(self, client: FlaskClient, address: str, engine: Engine) -> None:
        answer = client.post(address)

        assert answer.status_code == 429
        assert answer.json["message"] == USED_UP
        assert answer.json["path"] == address
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
        assert len(accepted_events(engine)) == 2

    @pytest.mark.usefixtures("spent")
    def test_a_form_keeps_what_was_filled_in(self, client: FlaskClient, owner: Person, app: Flask) -> None:
        fields = [{"label": "Your name"}, {"label": "Meal", "type": "choice", "options": ["Soup", "Salad"]}]
        made = workflow(client, owner, trigger={"type": "form", "config": {"title": "Dinner", "fields": fields}})
        (registered,) = triggers_of(client, owner, made["id"])

        answer = FormPage(app, f"/forms/{registered['webhookToken']}").send(your_name="Ada", meal="Salad")

        assert (answer.status_code, answer.mimetype) == (429, "text/html")
        assert "This form does not accept submissions at the moment" in answer.text
        assert 'value="Ada"' in answer.text
        assert re.search(r"<option[^>]* selected[^>]*>Salad<", answer.text)
        assert USED_UP not in answer.text
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400

    @pytest.mark.usefixtures("spent")
    def test_a_start_by_hand_says_so(self, client: FlaskClient, owner: Person) -> None:
        own = workflow(client, owner)

        answer = client.post(f"{WORKFLOWS}/{own['id']}/run", json={}, headers=owner.headers)

        assert (answer.status_code, answer.json["message"]) == (429, USED_UP)

    @pytest.mark.usefixtures("spent")
    def test_a_replay_says_so(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        over = execution(engine, owner, workflow_id=workflow(client, owner)["id"])

        answer = client.post(f"/api/v1/executions/{over}/replay", json={}, headers=owner.headers)

        assert (answer.status_code, answer.json["message"]) == (429, USED_UP)

    @pytest.mark.usefixtures("spent")
    def test_a_schedule_says_so_and_goes_on_to_its_next_time(
        self, client: FlaskClient, owner: Person, backends: Backends, engine: Engine
    ) -> None:
        own = trigger(client, owner, workflow(client, owner)["id"], "scheduler", configuration={"intervalMinutes": 1})
        fired = fire_due(backends, datetime.now(UTC) + timedelta(minutes=90))

        with Session(engine) as session:
            row = session.get_one(TriggerRegistration, own["id"])
            assert (fired, row.last_error) == (0, USED_UP)
            assert row.next_scheduled_at is not None
            assert row.next_scheduled_at > datetime.now(UTC) + timedelta(minutes=89)

    @pytest.mark.usefixtures("spent")
    def test_mails_wait_in_their_mailbox(
        self, client: FlaskClient, owner: Person, stranger: Person, backends: Backends
    ) -> None:
        mailboxes = {
            person.username: trigger(client, person, workflow(client, person)["id"], "email", configuration=mail)["id"]
            for person in (owner, stranger)
            for mail in ({"host": "mail.example.test", "username": "ada", "password": "mail-pass"},)
        }

        due = take_due(backends, datetime.now(UTC) + timedelta(minutes=5))

        assert [str(id_) for id_ in due] == [mailboxes["stranger"]]

    @pytest.mark.usefixtures("spent")
    def test_others_go_on(self, client: FlaskClient, stranger: Person) -> None:
        assert client.post(address_of(client, stranger)).status_code == 200

    @pytest.mark.usefixtures("spent")
    def test_the_next_day_begins_with_none(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine
    ) -> None:
        assert count(backends, timedelta(days=1)) == 1
        assert client.post(address).status_code == 200

    @pytest.mark.usefixtures("spent")
    def test_the_next_day_begins_also_where_nobody_counts(
        self, client: FlaskClient, address: str, engine: Engine
    ) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE auth.users SET over_quota_until = now() - interval '1 second'"))

        assert client.post(address).status_code == 200

    @pytest.mark.usefixtures("spent")
    def test_a_higher_quota_counts_from_the_next_count_on(
        self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine
    ) -> None:
        allow(engine, owner, executions_a_day=0)
        assert count(backends) == 1

        assert client.post(address).status_code == 200

    def test_the_setting_is_for_all_who_have_none_of_their_own(
        self, client: FlaskClient, owner: Person, stranger: Person, backends: Backends, settings: Settings
    ) -> None:
        addresses = {person.username: address_of(client, person) for person in (owner, stranger)}
        for address in addresses.values():
            client.post(address)
        allow(backends.engine, stranger, executions_a_day=5)
        frugal = Backends(settings.model_copy(update={"quota_executions_a_day": 1}), "test")
        count(frugal)
        frugal.close()

        assert {name: client.post(address).status_code for name, address in addresses.items()} == {
            "owner": 429,
            "stranger": 200,
        }

    def test_a_repeat_of_an_accepted_call_gets_the_first_answer(
        self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine
    ) -> None:
        allow(engine, owner, executions_a_day=1)
        first = client.post(address, headers={"Idempotency-Key": "one"})
        count(backends)

        assert client.post(address, headers={"Idempotency-Key": "one"}).json == first.json

    def test_accepting_a_call_still_takes_one_statement(
        self,
        client: FlaskClient,
        address: str,
        backends: Backends,
    ) -> None:
        client.post(address)
        with counting_statements(backends.engine) as sent:
            client.post(address)

        assert len(sent) == 1


class TestBytes:
    def test_what_executions_keep_is_counted_until_it_is_deleted(
        self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine
    ) -> None:
        allow(engine, owner, bytes=10_000)
        now = datetime.now(UTC)
        noise = random.Random(1).randbytes(10_000).hex()  # not to be compressed
        execution(engine, owner, step_outputs={"step1": noise}, finished_at=now)
        assert count(backends) == 1

        answer = client.post(address)
        assert (answer.status_code, answer.json["message"][:35]) == (429, "the account has used up its storage")
        assert count(backends, timedelta(days=backends.settings.execution_retention_days + 1)) == 1
        assert client.post(address).status_code == 200


class TestWorkflows:
    def test_one_more_than_allowed_is_refused(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        allow(engine, owner, workflows=1)
        workflow(client, owner)

        answer = client.post(WORKFLOWS, json={"name": "One more"}, headers=owner.headers)

        assert answer.status_code == 403
        assert answer.json["message"] == "the account may have 1 workflows; delete one that is not needed any more"

    def test_those_made_side_by_side_are_counted_one_after_another(
        self, app: Flask, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        allow(engine, owner, workflows=2)

        def create(number: int) -> int:
            body = {"name": f"Number {number}"}
            return app.test_client().post(WORKFLOWS, json=body, headers=owner.headers).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(create, range(8))) == [201] * 2 + [403] * 6

    def test_files_that_would_make_too_many_change_nothing(
        self, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        allow(engine, owner, workflows=1)
        files = [{"definition": {"name": name, "actions": []}} for name in ("One", "Two")]

        answer = client.post("/api/v1/workflows/apply", json={"workflows": files}, headers=owner.headers)

        assert answer.status_code == 403, answer.text
        assert client.get(WORKFLOWS, headers=owner.headers).json == []


class TestCounting:
    def test_each_event_is_counted_once_on_its_day(
        self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine
    ) -> None:
        for _ in range(5):
            client.post(address)
        with engine.begin() as connection:
            connection.execute(
                update(TriggerEventRow)
                .where(TriggerEventRow.id.in_([row.id for row in accepted_events(engine)][:2]))
                .values(created_at=TriggerEventRow.created_at - timedelta(days=2))
            )
        for _ in range(3):
            count(backends)

        found = used(engine, backends.settings, owner)
        assert (found.executions_today, found.executions_last_week, found.workflows) == (3, 2, 1)

    def test_what_is_not_settled_is_counted_later(
        self, client: FlaskClient, owner: Person, address: str, backends: Backends, engine: Engine
    ) -> None:
        client.post(address)
        count(backends, timedelta())
        assert used(engine, backends.settings, owner).executions_today == 0

        count(backends)
        assert used(engine, backends.settings, owner).executions_today == 1
