"""A database of the original implementations becomes ours: nothing is lost, and everything goes on working."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.accounts import administration, password_resets
from flowforge.adoption import take_over_database
from flowforge.audit import search
from flowforge.audit.actions import Action
from flowforge.connectors.catalog import load_catalog
from flowforge.db import retention_store, versions_store
from flowforge.db.adoption import IN_FLIGHT, date_finished_executions, seal_adopted_secrets
from flowforge.db.migrate import configuration, upgrade
from flowforge.db.tables import (
    Base,
    ExecutionRow,
    TriggerEventRow,
    TriggerRegistration,
    User,
    Workflow,
    WorkflowVersion,
)
from flowforge.engine import pruning
from flowforge.engine.intake import Intake
from flowforge.secrets import is_sealed
from flowforge.settings import Settings
from flowforge.triggers.schedules import firing
from flowforge.wiring import Backends
from tests.api.sign_ins import login
from tests.migrations import originals
from tests.migrations.originals import Original, connected, contents


def test_every_row_stays_as_it_was(original: Original) -> None:
    before = contents(original.url)

    upgrade(original.url)

    after = contents(original.url)
    for table, rows in before.items():
        assert rows == {id_: {name: row[name] for name in rows[id_]} for id_, row in after[table].items()}


def test_every_later_column_of_an_old_row_is_empty_or_says_that_nothing_has_changed(original: Original) -> None:
    before = contents(original.url)

    upgrade(original.url)

    for table, rows in contents(original.url).items():
        for id_, row in rows.items():
            later = {name: row[name] for name in row.keys() - before[table][id_].keys() if row[name] is not None}
            assert later.pop("published", True) is True
            assert set(later.values()) <= {0, "member", "owner"}


def test_the_schema_is_the_one_of_the_models(ours: Backends) -> None:
    schemas = {"auth", "workflow", "trigger_service", "orchestrator", "logbook", "files", "data_tables"}
    with ours.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in schemas,
                "compare_type": False,  # varchar(255) of the Spring version may stay
                "version_table": "flowforge_migrations",
            },
        )
        differences = compare_metadata(context, Base.metadata)
    named = {"add_constraint", "remove_constraint"}  # unique constraints keep the names they were given
    assert [difference for difference in differences if difference[0] not in named] == []


def test_rows_may_be_added_without_ids_and_times(ours: Backends) -> None:
    someone = uuid4()
    with ours.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO auth.users (username, email, password) VALUES ('new', 'new@example.test', 'x')")
        )
        connection.execute(insert(Workflow).values(name="new", user_id=someone))
        connection.execute(
            insert(TriggerRegistration).values(workflow_id=someone, user_id=someone, trigger_type="webhook")
        )
        connection.execute(
            insert(ExecutionRow).values(workflow_id=someone, user_id=someone, status="PENDING", current_step=0)
        )


def test_taking_over_again_changes_nothing(ours: Backends, original: Original) -> None:
    before = contents(original.url)

    take_over_database(ours.settings)

    assert contents(original.url) == before


class TestPeople:
    @pytest.mark.parametrize(
        ("username", "password"),
        [("flowadmin", originals.ADMIN_PASSWORD), ("guest", originals.GUEST_PASSWORD)],
    )
    def test_sign_in_and_get_a_better_hash(
        self, client: FlaskClient, ours: Backends, username: str, password: str
    ) -> None:
        assert login(client, username, "something else").status_code == 401
        assert login(client, username, password).status_code == 200
        with Session(ours.engine) as session:
            stored = session.scalar(select(User.password).where(User.username == username))
        assert stored is not None
        assert stored.startswith("$argon2id$")
        assert login(client, username, password).status_code == 200

    def test_a_refresh_token_is_accepted_once(self, client: FlaskClient, original: Original) -> None:
        first = client.post("/auth/refresh-token", json={"refreshToken": originals.REFRESH_TOKEN})
        second = client.post("/auth/refresh-token", json={"refreshToken": originals.REFRESH_TOKEN})

        assert (first.status_code, second.status_code) == (200, 401)
        assert contents(original.url)["auth.users"][originals.ADMIN]["refresh_token"] is None
        again = client.post("/auth/refresh-token", json={"refreshToken": first.json["refresh_token"]})
        assert again.status_code == 200

    def test_an_expired_refresh_token_is_not(self, client: FlaskClient) -> None:
        answer = client.post("/auth/refresh-token", json={"refreshToken": originals.EXPIRED_TOKEN})

        assert answer.status_code == 401

    def test_what_is_stored_of_a_refresh_token_is_no_token(self, client: FlaskClient, original: Original) -> None:
        stored = contents(original.url)["auth.users"][originals.ADMIN]["refresh_token"]

        assert stored != originals.REFRESH_TOKEN
        assert client.post("/auth/refresh-token", json={"refreshToken": stored}).status_code == 401

    def test_taken_names_stay_taken(self, client: FlaskClient) -> None:
        answer = client.post(
            "/auth/register",
            json={"username": "flowadmin", "email": "guest@example.test", "password": "long enough"},
        )

        assert answer.status_code == 400
        assert [problem["pointer"] for problem in answer.json["details"]] == ["/username", "/email"]

    def test_the_oldest_account_whose_password_is_not_published_owns_the_instance(self, original: Original) -> None:
        upgrade(original.url)

        users = contents(original.url)["auth.users"]
        assert {row["username"]: row["role"] for row in users.values()} == {"flowadmin": "member", "guest": "owner"}

    def test_names_that_differ_only_in_case_stay_apart(self, original: Original, settings: Settings) -> None:
        with connected(original.url) as connection:
            twin = "INSERT INTO auth.users (id, username, email, password, created_at, updated_at)"
            twin += " SELECT gen_random_uuid(), 'Guest', 'twin@example.test', password, now() + '1 day', now()"
            connection.execute(text(f"{twin} FROM auth.users WHERE username = 'guest'"))
        take_over_database(settings.model_copy(update={"postgres_url_setting": original.url}))

        users = contents(original.url)["auth.users"]
        keys = {row["username"]: row["name_key"] for row in users.values()}
        assert keys == {"flowadmin": "flowadmin", "guest": "guest", "Guest": None}

    def test_new_people_may_come(self, client: FlaskClient) -> None:
        answer = client.post(
            "/auth/register", json={"username": "ada", "email": "ada@example.test", "password": "long enough"}
        )

        assert answer.status_code == 200


class TestWhatIsPublished:
    """The account and the webhook of the setup script, which everybody can read."""

    @pytest.fixture(autouse=True)
    def published(self, original: Original) -> None:
        originals.load_seed_again(original.url)

    def test_nobody_signs_in_with_the_published_password(self, client: FlaskClient, ours: Backends) -> None:
        assert login(client, "flowadmin", originals.PUBLISHED_PASSWORD).status_code == 403
        refreshed = client.post("/auth/refresh-token", json={"refreshToken": originals.REFRESH_TOKEN})
        assert refreshed.status_code == 401
        assert login(client, "guest", originals.GUEST_PASSWORD).status_code == 200
        with Session(ours.engine) as session:
            [entry] = search.find_page(session, search.Filter(action=Action.ACCOUNT_DISABLED)).entries
        assert (entry.account_name, entry.details) == ("flowadmin", {"why": "published password"})

    def test_the_published_token_starts_nothing_until_its_owner_enables_it(
        self, ours: Backends, client: FlaskClient
    ) -> None:
        assert client.post("/webhook/demo-token", json={}).json["ignored"] is True
        headers = sign_in(client, self.confirm(ours))
        [shown] = client.get(f"/api/v1/triggers/workflow/{originals.TO_SLACK}", headers=headers).json[:1]
        assert "everybody knows it" in shown["health"]["lastError"]
        enabled = client.put(f"/api/v1/triggers/{originals.HOOK}", json={"enabled": True}, headers=headers)
        assert enabled.status_code == 200
        assert "eventId" in client.post("/webhook/demo-token", json={}).json

        take_over_database(ours.settings)
        assert "eventId" in client.post("/webhook/demo-token", json={}).json

    def test_enabling_the_account_takes_another_password(self, client: FlaskClient, ours: Backends) -> None:
        password = self.confirm(ours)
        assert login(client, "flowadmin", originals.PUBLISHED_PASSWORD).status_code == 401
        assert login(client, "flowadmin", password).status_code == 200
        take_over_database(ours.settings)
        assert login(client, "flowadmin", password).status_code == 200

    def test_what_the_script_loads_once_more_is_switched_off_once_more(
        self, client: FlaskClient, ours: Backends, original: Original
    ) -> None:
        self.confirm(ours)
        originals.load_seed_again(original.url)
        take_over_database(ours.settings)
        assert login(client, "flowadmin", originals.PUBLISHED_PASSWORD).status_code == 403

    def test_without_a_new_password_nobody_signs_in(self, client: FlaskClient, ours: Backends) -> None:
        with Session(ours.engine) as session:
            administration.enable(session, originals.ADMIN)
        assert login(client, "flowadmin", originals.PUBLISHED_PASSWORD).status_code == 401

    @staticmethod
    def confirm(ours: Backends) -> str:
        """The new password, set as `users enable flowadmin` and the account's page let its owner set it."""
        password = "violet teapot drift"
        with Session(ours.engine) as session:
            assert administration.find(session, originals.ADMIN).has_published_password
            administration.enable(session, originals.ADMIN)
            password_resets.complete(session, password_resets.begin(session, originals.ADMIN), password)
        return password


def sign_in(client: FlaskClient, password: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {login(client, 'flowadmin', password).json['access_token']}"}


class TestTriggers:
    def test_a_webhook_token_is_found(self, ours: Backends, client: FlaskClient) -> None:
        headers = sign_in(client, originals.ADMIN_PASSWORD)
        client.put(f"/api/v1/triggers/{originals.HOOK}", json={"enabled": True}, headers=headers)
        answer = Intake(ours).accept("webhook", "demo-token", {"body": {}}, {})

        assert answer is not None
        assert answer.trigger_id == originals.HOOK
        assert answer.fresh is not None
        assert answer.fresh.workflow_id == originals.TO_SLACK

    def test_a_due_schedule_fires_once(self, ours: Backends) -> None:
        assert firing.fire_due(ours) == 1
        assert firing.fire_due(ours) == 0
        assert self.next_time(ours, originals.CLOCK) > datetime.now(UTC)

    def test_a_schedule_without_a_time_is_due_one_interval_from_now(self, ours: Backends) -> None:
        now = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)

        firing.start_unscheduled(ours, now)

        assert self.next_time(ours, originals.CLOCK_WITHOUT_TIME) == now + timedelta(minutes=30)

    @staticmethod
    def next_time(ours: Backends, trigger_id: UUID) -> datetime:
        with Session(ours.engine) as session:
            found = session.get_one(TriggerRegistration, trigger_id).next_scheduled_at
        assert found is not None
        return found


class TestExecutions:
    def test_those_that_ended_did_so_when_they_were_last_written(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            ends = {row.id: row.finished_at for row in session.scalars(select(ExecutionRow))}

        assert {status: ends[id_] for status, id_ in originals.EXECUTIONS.items() if status in originals.ENDED} == {
            "COMPLETED": originals.LONG_AGO,
            "FAILED": originals.LONG_AGO,
            "CANCELLED": originals.LONG_AGO,
        }

    def test_those_that_were_under_way_fail_and_say_why(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            for status in ("PENDING", "RUNNING"):
                row = session.get_one(ExecutionRow, originals.EXECUTIONS[status])
                assert (row.status, row.error) == ("FAILED", {"message": IN_FLIGHT})
                assert row.finished_at is not None
                assert row.finished_at > datetime.now(UTC) - timedelta(minutes=1)

    def test_all_are_kept_as_long_as_new_ones_from_the_adoption_on(self, ours: Backends) -> None:
        keeping = timedelta(days=ours.settings.execution_retention_days)
        with ours.engine.connect() as connection:
            adopted_at = retention_store.adopted_at(connection)
        assert adopted_at is not None

        assert pruning.prune(ours, adopted_at + keeping - timedelta(seconds=1))["executions"] == 0
        assert pruning.prune(ours, adopted_at + keeping)["executions"] == 3
        assert pruning.prune(ours, adopted_at + keeping + timedelta(minutes=1))["executions"] == 2

    def test_where_ours_stand_beside_them_the_adoption_came_before(self, original: Original) -> None:
        first_event = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        with connected(original.url) as connection:
            command.upgrade(configuration(connection=connection), "0016")
            event = {"id": uuid4(), "workflow_id": originals.TO_SLACK, "user_id": originals.ADMIN}
            values = {"trigger_type": "webhook", "payload": {}, "metadata": {}, "created_at": first_event}
            connection.execute(insert(TriggerEventRow).values(**event, **values))
        upgrade(original.url)

        with connected(original.url) as connection:
            assert retention_store.adopted_at(connection) == first_event

    def test_ours_are_left_alone(self, ours: Backends) -> None:
        unfinished = {"workflow_id": originals.TO_SLACK, "user_id": originals.ADMIN, "current_step": 0}
        with ours.engine.begin() as connection:
            connection.execute(insert(ExecutionRow).values(event_id=uuid4(), status="FAILED", **unfinished))

        assert date_finished_executions(ours.engine) == 0

    def test_every_status_is_readable(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            rows = {row.id: row for row in session.scalars(select(ExecutionRow))}

        kept = {status: rows[id_].status for status, id_ in originals.EXECUTIONS.items() if status in originals.ENDED}
        assert kept == {status: status for status in originals.ENDED}
        assert rows[originals.EXECUTIONS["COMPLETED"]].step_outputs == {"step1": {"delivered": True}}

    def test_the_api_shows_them(self, client: FlaskClient) -> None:
        tokens = login(client, "flowadmin", originals.ADMIN_PASSWORD).json
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}

        page = client.get("/api/v1/executions", headers=headers)
        workflows = client.get("/api/v1/workflows", headers=headers)
        triggers = client.get("/api/v1/triggers", headers=headers)

        assert page.json["totalElements"] == len(originals.EXECUTIONS)
        assert len(workflows.json) == 5
        assert len(triggers.json) == 5
        for secret in originals.SECRETS:
            assert secret not in page.text + workflows.text + triggers.text


class TestSecrets:
    def test_none_is_left_in_clear(self, ours: Backends, original: Original) -> None:
        everything = str(contents(original.url))

        for secret in originals.SECRETS:
            assert secret not in everything

    def test_all_can_be_opened(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            mail = session.get_one(TriggerRegistration, originals.MAIL)
            from_mail = session.get_one(Workflow, originals.FROM_MAIL)
            to_slack = session.get_one(Workflow, originals.TO_SLACK)
            to_sheet = session.get_one(Workflow, originals.TO_SHEET)
        assert mail.configuration is not None
        assert from_mail.trigger_definition is not None
        assert to_slack.actions_definition is not None
        assert to_sheet.actions_definition is not None
        sheet, slack = to_sheet.actions_definition
        opened = [
            mail.configuration["password"],
            from_mail.trigger_definition["config"]["password"],
            to_slack.actions_definition[0]["config"]["webhookUrl"],
            sheet["config"]["apiKey"],
            slack["config"]["webhookUrl"],
        ]
        assert all(is_sealed(value) for value in opened)
        assert [ours.vault.open(value) for value in opened] == [
            originals.MAIL_PASSWORD,
            originals.MAIL_PASSWORD,
            originals.SLACK_URL,
            originals.SHEET_KEY,
            originals.SLACK_URL,
        ]

    def test_what_looks_like_an_expression_is_a_secret_too(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            braced = session.get_one(Workflow, originals.BRACED)
        assert braced.trigger_definition is not None
        assert braced.actions_definition is not None
        sealed = [braced.trigger_definition["config"]["password"], braced.actions_definition[0]["config"]["apiKey"]]
        assert [ours.vault.open(value) for value in sealed] == [originals.BRACED_PASSWORD, originals.BRACED_KEY]

    def test_what_is_no_secret_stays_readable(self, ours: Backends) -> None:
        with Session(ours.engine) as session:
            workflow = session.get_one(Workflow, originals.TO_SLACK)
            stripped = session.get_one(Workflow, originals.STRIPPED)
        assert workflow.actions_definition is not None
        assert workflow.actions_definition[0]["config"]["message"] == "literally {{ braces }}"
        assert stripped.actions_definition == [{"type": "SLACK_MESSAGE"}]

    def test_no_row_looks_edited(self, ours: Backends, original: Original) -> None:
        in_flight = {originals.EXECUTIONS["PENDING"], originals.EXECUTIONS["RUNNING"]}
        for rows in contents(original.url).values():
            times = {row["updated_at"] for id_, row in rows.items() if id_ not in in_flight}
            assert times == {originals.LONG_AGO}

    def test_sealing_again_changes_nothing(self, ours: Backends) -> None:
        assert seal_adopted_secrets(ours.engine, ours.vault, load_catalog()) == 0

    def test_what_is_secret_by_its_name_is_sealed_once(self, ours: Backends, original: Original) -> None:
        headers = {"Authorization": "Bearer hush-2", "X-Plain": "seen"}
        config = {"url": "https://x.test/?token=hush-1", "headers": headers}
        actions = jsonio.dumps([{"type": "HTTP_REQUEST", "config": config}]).decode()
        with connected(original.url) as connection:
            change = "UPDATE workflow.workflows SET actions_definition = CAST(:actions AS jsonb) WHERE id = :id"
            connection.execute(text(change), {"actions": actions, "id": originals.STRIPPED})
        changed = [seal_adopted_secrets(ours.engine, ours.vault, load_catalog()) for _ in range(2)]
        assert changed == [1, 0]
        assert "hush" not in str(contents(original.url))
        with Session(ours.engine) as session:
            sealed = session.get_one(Workflow, originals.STRIPPED).actions_definition
        assert sealed is not None
        assert load_catalog().open("HTTP_REQUEST", sealed[0]["config"], ours.vault) == config

    def test_what_an_original_writes_later_is_sealed_at_the_next_start(
        self, ours: Backends, original: Original
    ) -> None:
        with connected(original.url) as connection:
            connection.execute(
                text(
                    "UPDATE trigger_service.trigger_registrations"
                    """ SET configuration = '{"username": "ada", "password": "another-secret"}' WHERE id = :id"""
                ),
                {"id": originals.MAIL},
            )

        assert seal_adopted_secrets(ours.engine, ours.vault, load_catalog()) == 1
        assert "another-secret" not in str(contents(original.url))

    def test_versions_taken_before_the_sealing_are_sealed_too(self, original: Original, ours: Backends) -> None:
        with ours.engine.begin() as connection:
            versions_store.adopt_workflows(connection, [originals.TO_SLACK])
            connection.execute(
                text(
                    "UPDATE workflow.workflow_versions SET definition ="
                    """ jsonb_set(definition, '{actions,0,config,webhookUrl}', '"https://hooks.example.test/clear"')"""
                )
            )

        assert seal_adopted_secrets(ours.engine, ours.vault, load_catalog()) == 1
        with Session(ours.engine) as session:
            version = session.scalars(select(WorkflowVersion)).one()
        sealed = version.definition["actions"][0]["config"]["webhookUrl"]
        assert ours.vault.open(sealed) == "https://hooks.example.test/clear"


def test_whatever_json_is_found_nothing_breaks(original: Original, ours: Backends) -> None:
    for found in ('"text"', "7", "[]", "null", '{"password": [7]}', '{"password": null}', "[{}]", '[{"config": 7}]'):
        with connected(original.url) as connection:
            for column in (
                "trigger_service.trigger_registrations SET configuration",
                "workflow.workflows SET trigger_definition",
                "workflow.workflows SET actions_definition",
            ):
                connection.execute(text(f"UPDATE {column} = CAST(:found AS jsonb)"), {"found": found})

        assert seal_adopted_secrets(ours.engine, ours.vault, load_catalog()) == 0


def test_a_password_of_digits_is_sealed_as_text(original: Original, ours: Backends) -> None:
    with connected(original.url) as connection:
        found = "UPDATE trigger_service.trigger_registrations SET configuration = '{\"password\": 7}'"
        connection.execute(text(found))
    seal_adopted_secrets(ours.engine, ours.vault, load_catalog())
    with Session(ours.engine) as session:
        sealed = {found.configuration["password"] for found in session.scalars(select(TriggerRegistration))}
    assert {ours.vault.open(password) for password in sealed} == {"7"}
