"""New keys: everything sealed stays readable, and ends up under the newest."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from flowforge import rotation
from flowforge.connectors.catalog import load_catalog
from flowforge.db.engine import make_engine
from flowforge.db.migrate import upgrade
from flowforge.db.sealed import SEALED_COLUMNS, reseal, rotated, seal_clear
from flowforge.db.tables import Base, TriggerRegistration, Workflow, WorkflowVersion
from flowforge.embedded.instance import AlreadyRunning, lock
from flowforge.embedded.postgres import running_postgres
from flowforge.home import load_keys
from flowforge.secret_names import change_secrets
from flowforge.secrets import SecretUnreadable, Vault, new_key
from flowforge.settings import Settings


def _store(engine: Engine, vault: Vault) -> None:
    definition = {
        "trigger": {"type": "webhook"},
        "actions": [{"config": {"token": vault.seal("t0ken"), "text": "enc?"}}],
    }
    workflow = Workflow(
        name="w", user_id=uuid4(), trigger_definition=definition["trigger"], actions_definition=definition["actions"]
    )
    with Session(engine) as session:
        session.add(workflow)
        session.flush()
        session.add(WorkflowVersion(workflow_id=workflow.id, number=1, definition=definition, templated=True))
        session.add(
            TriggerRegistration(
                workflow_id=workflow.id,
                user_id=workflow.user_id,
                trigger_type="email",
                configuration={"username": "ada", "password": vault.seal("s3cret")},
            )
        )
        session.commit()


def test_everything_sealed_is_readable_with_the_new_key_alone(engine: Engine) -> None:
    old, new = new_key(), new_key()
    _store(engine, Vault([old]))
    with Session(engine) as session:
        edited = session.scalars(select(Workflow.updated_at)).one()

    assert reseal(engine, Vault([new, old])) == 3

    with Session(engine) as session:
        workflow = session.scalars(select(Workflow)).one()
        version = session.scalars(select(WorkflowVersion)).one()
        trigger = session.scalars(select(TriggerRegistration)).one()
    assert workflow.updated_at == edited, "nobody has edited it"
    vault = Vault([new])
    for actions in (workflow.actions_definition, version.definition["actions"]):
        assert vault.open(actions[0]["config"]["token"]) == "t0ken"
        assert actions[0]["config"]["text"] == "enc?"
    assert vault.open(trigger.configuration["password"]) == "s3cret"
    assert trigger.configuration["username"] == "ada"


def test_secrets_inside_an_address_are_sealed_anew() -> None:
    old, new = new_key(), new_key()
    url = f"https://ada:{Vault([old]).seal('pass-word')}@x.test/?n=1&token={Vault([old]).seal('t0ken')}"
    moved = rotated({"url": url, "note": "begins with enc:v1: and is none"}, Vault([new, old]))
    opened = change_secrets(moved["url"], lambda text, _: Vault([new]).open(text))
    assert opened == "https://ada:pass-word@x.test/?n=1&token=t0ken"
    assert moved["note"] == "begins with enc:v1: and is none"


def test_what_an_earlier_release_left_in_clear_is_sealed_once(engine: Engine) -> None:
    vault, catalog = Vault([new_key()]), load_catalog()
    call = {"type": "HTTP_REQUEST", "config": {"url": "https://x.test/", "headers": {"Authorization": "Bearer clear"}}}
    shown = {"type": "HTTP_REQUEST", "config": {"url": "https://x.test/", "headers": {"token": "{{ trigger.token }}"}}}
    actions = [{"type": "FOR_EACH", "config": {"items": []}, "actions": [call, shown]}]
    _store_definition(engine, actions)
    assert [seal_clear(engine, vault, catalog) for _ in range(2)] == [2, 0]
    with Session(engine) as session:
        stored = [session.scalars(select(Workflow.actions_definition)).one()]
        stored.append(session.scalars(select(WorkflowVersion.definition)).one()["actions"])
    for sealed in stored:
        assert sealed[0]["actions"][1] == shown
        assert catalog.open("HTTP_REQUEST", sealed[0]["actions"][0]["config"], vault) == call["config"]
        assert "clear" not in str(sealed)


def _store_definition(engine: Engine, actions: list[dict[str, Any]]) -> None:
    with Session(engine) as session:
        workflow = Workflow(user_id=uuid4(), name="w", actions_definition=actions)
        session.add(workflow)
        session.flush()
        definition = {"name": "w", "actions": actions}
        version = WorkflowVersion(workflow_id=workflow.id, number=1, definition=definition, templated=True)
        session.add(version)
        session.flush()
        workflow.version_id = version.id
        session.commit()


def test_more_rows_than_a_batch_are_all_sealed_anew(engine: Engine) -> None:
    old, new = new_key(), new_key()
    for _ in range(5):
        _store(engine, Vault([old]))
    assert reseal(engine, Vault([new, old]), batch=2) == 15


def test_a_secret_nobody_has_the_key_of_is_named_not_destroyed(engine: Engine) -> None:
    _store(engine, Vault([new_key()]))
    with pytest.raises(SecretUnreadable):
        reseal(engine, Vault([new_key()]))


def test_every_column_that_may_hold_a_secret_is_sealed_anew() -> None:
    """A new JSON column has to be put into one of the two lists by whoever adds it."""
    never_sealed = {
        "api_versions.operations",
        "api_versions.refused",
        "apis.actions",
        "audit_log.details",
        "execution_logs.data",
        "open_blocks.closure",
        "open_blocks.error",
        "open_blocks.memory",
        "pinned_outputs.output",
        "poll_states.highest",
        "poll_states.kept",
        "rate_turns.begun",
        "rows.data",
        "step_attempts.error",
        "step_attempts.output",
        "step_attempts.waiting",
        "step_frames.error",
        "step_frames.item",
        "step_frames.outputs",
        "step_frames.result",
        "tables.columns",
        "trigger_events.awaited_by",
        "trigger_events.metadata",
        "trigger_events.payload",
        "trigger_events.replay",
        "trigger_events.response",
        "workflow_executions.awaited_by",
        "workflow_executions.error",
        "workflow_executions.result",
        "workflow_executions.step_outputs",
        "workflow_executions.trigger_payload",
        "workflow_versions.pins",
        "workflows.settings",
    }
    of_tables = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.type.__class__.__name__ == "JSONB" and not column.name.endswith("_order")  # names of fields
    }
    sealed = {f"{inspect(column.class_).local_table.name}.{column.key}" for column in SEALED_COLUMNS}
    texts = {"oauth_grants.tokens", "oauth_sign_ins.secret"}
    assert of_tables | texts == sealed | never_sealed


def test_rotation_of_a_home_adds_a_key_in_front(settings: Settings, engine: Engine) -> None:
    before = load_keys(settings).vault
    _store(engine, Vault(before))

    assert rotation.rotate(settings) == 3

    newest, *others = load_keys(settings).vault
    assert others == list(before)
    path = settings.home / "secrets" / "vault.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Session(engine) as session:
        password = session.scalars(select(TriggerRegistration)).one().configuration["password"]
    assert Vault([newest]).open(password) == "s3cret"


def test_rotation_is_refused_while_the_instance_runs(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    holder = lock(settings.home.resolve())
    try:
        with pytest.raises(AlreadyRunning):
            rotation.rotate(settings)
    finally:
        os.close(holder)


def test_rotation_with_an_embedded_database_starts_it_for_that_time(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    with running_postgres(tmp_path) as url:
        upgrade(url)
        engine = make_engine(url)
        _store(engine, Vault(load_keys(settings).vault))
        engine.dispose()
    assert rotation.rotate(settings) == 3
