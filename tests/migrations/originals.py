"""Databases as the original implementations leave them behind, with people, workflows and half-done work in them.

Written from the description in the wire contract, section 4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import bcrypt
from sqlalchemy import Connection, NullPool, create_engine, text

from flowforge.db.engine import sqlalchemy_url

SHIPPED = """
CREATE SCHEMA auth; CREATE SCHEMA workflow; CREATE SCHEMA trigger_service; CREATE SCHEMA orchestrator;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username text NOT NULL UNIQUE,
    email text NOT NULL UNIQUE,
    password text NOT NULL,
    refresh_token varchar(512),
    refresh_token_expiry_date timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE workflow.workflows (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    user_id uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    trigger_definition jsonb,
    actions_definition jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workflows_user_id ON workflow.workflows (user_id);
CREATE TABLE trigger_service.trigger_registrations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL,
    user_id uuid NOT NULL,
    trigger_type text NOT NULL,
    configuration jsonb,
    enabled boolean NOT NULL DEFAULT true,
    webhook_url text UNIQUE,
    webhook_token text UNIQUE,
    last_triggered_at timestamptz,
    next_scheduled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workflow_id ON trigger_service.trigger_registrations (workflow_id);
CREATE INDEX idx_user_id ON trigger_service.trigger_registrations (user_id);
CREATE INDEX idx_trigger_type ON trigger_service.trigger_registrations (trigger_type);
CREATE INDEX idx_webhook_token ON trigger_service.trigger_registrations (webhook_token);
CREATE TABLE orchestrator.workflow_executions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL,
    user_id uuid NOT NULL,
    status text NOT NULL,
    current_step integer NOT NULL,
    trigger_payload jsonb,
    step_outputs jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_executions_workflow_id ON orchestrator.workflow_executions (workflow_id);
CREATE INDEX idx_executions_user_id ON orchestrator.workflow_executions (user_id);
"""

SPRING_MADE = """
CREATE SCHEMA auth; CREATE SCHEMA workflow; CREATE SCHEMA trigger_service; CREATE SCHEMA orchestrator;
CREATE TABLE auth.users (
    refresh_token_expiry_date timestamp(6) with time zone,
    created_at timestamp(6) with time zone NOT NULL,
    updated_at timestamp(6) with time zone NOT NULL,
    id uuid NOT NULL,
    refresh_token varchar(512),
    email varchar(255) NOT NULL CONSTRAINT uk_a1b2c3d4e5f6g7h8i9j0k1l2m UNIQUE,
    password varchar(255) NOT NULL,
    username varchar(255) NOT NULL CONSTRAINT uk_n3o4p5q6r7s8t9u0v1w2x3y4z UNIQUE,
    PRIMARY KEY (id)
);
CREATE TABLE workflow.workflows (
    enabled boolean NOT NULL,
    created_at timestamp(6) with time zone NOT NULL,
    updated_at timestamp(6) with time zone NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    actions_definition jsonb,
    trigger_definition jsonb,
    PRIMARY KEY (id)
);
CREATE TABLE trigger_service.trigger_registrations (
    enabled boolean NOT NULL,
    created_at timestamp(6) with time zone NOT NULL,
    last_triggered_at timestamp(6) with time zone,
    next_scheduled_at timestamp(6) with time zone,
    updated_at timestamp(6) with time zone NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    trigger_type varchar(255) NOT NULL,
    webhook_token varchar(255) CONSTRAINT uk_b5c6d7e8f9g0h1i2j3k4l5m6n UNIQUE,
    webhook_url varchar(255) CONSTRAINT uk_o7p8q9r0s1t2u3v4w5x6y7z8a UNIQUE,
    configuration jsonb,
    PRIMARY KEY (id)
);
CREATE INDEX idx_workflow_id ON trigger_service.trigger_registrations (workflow_id);
CREATE INDEX idx_user_id ON trigger_service.trigger_registrations (user_id);
CREATE INDEX idx_trigger_type ON trigger_service.trigger_registrations (trigger_type);
CREATE INDEX idx_webhook_token ON trigger_service.trigger_registrations (webhook_token);
CREATE TABLE orchestrator.workflow_executions (
    current_step integer NOT NULL,
    created_at timestamp(6) with time zone NOT NULL,
    updated_at timestamp(6) with time zone NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    status varchar(255) NOT NULL
        CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'PENDING', 'CANCELLED')),
    step_outputs jsonb,
    trigger_payload jsonb,
    PRIMARY KEY (id)
);
"""

SHAPES = {"shipped": SHIPPED, "spring-made": SPRING_MADE}
TABLES = (
    "auth.users",
    "workflow.workflows",
    "trigger_service.trigger_registrations",
    "orchestrator.workflow_executions",
)

ADMIN = UUID("11111111-1111-4111-8111-111111111111")
GUEST = UUID("22222222-2222-4222-8222-222222222222")
TO_SLACK, TO_SHEET, FROM_MAIL, STRIPPED, BRACED = (UUID(f"33333333-3333-4333-8333-33333333333{n}") for n in range(5))
HOOK, CLOCK, CLOCK_WITHOUT_TIME, MAIL, STRANGE = (UUID(f"44444444-4444-4444-8444-44444444444{n}") for n in range(5))
EXECUTIONS = {
    status: UUID(f"55555555-5555-4555-8555-55555555555{n}")
    for n, status in enumerate(("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"))
}
ENDED = ("COMPLETED", "FAILED", "CANCELLED")

ADMIN_PASSWORD, GUEST_PASSWORD = "the admin's password", "pässwort"
PUBLISHED_PASSWORD = "published with the script"
REFRESH_TOKEN = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
EXPIRED_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJndWVzdCJ9.c2lnbmF0dXJl"
SLACK_URL = "https://hooks.example.test/services/T0/B0/slacksecret"
SHEET_KEY = "AIza-sheet-secret"
MAIL_PASSWORD = "mail-secret"
BRACED_PASSWORD, BRACED_KEY = "{{ mail-secret }}", "{{ sheet.secret }}"
"""The originals knew no expressions: these are secrets like any other."""
SECRETS = (SLACK_URL, SHEET_KEY, MAIL_PASSWORD, BRACED_PASSWORD, BRACED_KEY, REFRESH_TOKEN, EXPIRED_TOKEN)
LONG_AGO = datetime(2025, 11, 3, 4, 5, 6, 789_000, UTC)


@dataclass(frozen=True, slots=True)
class Original:
    """A database to adopt."""

    url: str
    shape: str


def leave_behind(url: str, shape: str) -> Original:
    """Makes the tables of that shape in an empty database, and fills them."""
    with connected(url) as connection:
        connection.execute(text(SHAPES[shape].replace(":", r"\:")))
        for table, rows in _rows().items():
            for row in rows:
                _insert(connection, table, row)
    return Original(url, shape)


def load_seed_again(url: str) -> None:
    """What the setup script does with an account that is there already: it gets the published password back."""
    with connected(url) as connection:
        change = "UPDATE auth.users SET password = :password WHERE username = 'flowadmin'"
        connection.execute(text(change), {"password": _bcrypt(PUBLISHED_PASSWORD, b"2b")})


def contents(url: str) -> dict[str, dict[UUID, dict[str, Any]]]:
    """All rows of the four tables, by table and id."""
    with connected(url) as connection:
        return {
            table: {row["id"]: dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()}
            for table in TABLES
        }


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def _rows() -> dict[str, list[dict[str, Any]]]:
    now = datetime.now(UTC)
    return {
        "auth.users": [
            {
                "id": ADMIN,
                "username": "flowadmin",
                "email": "admin@example.test",
                "password": _bcrypt(ADMIN_PASSWORD, b"2a"),
                "refresh_token": REFRESH_TOKEN,
                "refresh_token_expiry_date": now + timedelta(days=3),
            },
            {
                "id": GUEST,
                "username": "guest",
                "email": "guest@example.test",
                "password": _bcrypt(GUEST_PASSWORD, b"2b"),
                "refresh_token": EXPIRED_TOKEN,
                "refresh_token_expiry_date": now - timedelta(days=3),
            },
        ],
        "workflow.workflows": [
            _workflow(TO_SLACK, "Webhook to Slack", {"type": "webhook", "config": {}}, [_slack()]),
            _workflow(
                TO_SHEET,
                "Every 15 minutes to Sheets",
                {"type": "scheduler", "config": {"intervalMinutes": 15}},
                [_sheet(), _slack() | {"type": "slack_message"}],
            ),
            _workflow(
                FROM_MAIL, "Mail", {"type": "email", "config": {"username": "ada", "password": MAIL_PASSWORD}}, None
            ),
            _workflow(STRIPPED, "Saved without configs", None, [{"type": "SLACK_MESSAGE"}]),
            _workflow(
                BRACED,
                "With braces",
                {"type": "email", "config": {"username": "ada", "password": BRACED_PASSWORD}},
                [_sheet(BRACED_KEY)],
            ),
        ],
        "trigger_service.trigger_registrations": [
            _trigger(
                HOOK,
                TO_SLACK,
                "webhook",
                {"method": "POST"},
                webhook_token="demo-token",
                webhook_url="http://localhost:8083/webhook/demo-token",
            ),
            _trigger(
                CLOCK, TO_SHEET, "scheduler", {"intervalMinutes": "15"}, next_scheduled_at=now - timedelta(minutes=1)
            ),
            _trigger(CLOCK_WITHOUT_TIME, TO_SHEET, "Scheduler", {"intervalMinutes": 30}),
            _trigger(MAIL, FROM_MAIL, "EMAIL", {"emailAddress": "ada@example.test", "password": MAIL_PASSWORD}),
            _trigger(STRANGE, TO_SLACK, "carrier-pigeon", None),
        ],
        "orchestrator.workflow_executions": [
            {
                "id": id_,
                "workflow_id": TO_SLACK,
                "user_id": ADMIN,
                "status": status,
                "current_step": 1,
                "trigger_payload": {"body": {"order": 17}},
                "step_outputs": {"step1": {"delivered": True}},
            }
            for status, id_ in EXECUTIONS.items()
        ],
    }


def _slack() -> dict[str, Any]:
    return {
        "type": "SLACK_MESSAGE",
        "config": {"webhookUrl": SLACK_URL, "message": "literally {{ braces }}", "channel": "#ops"},
    }


def _sheet(key: str = SHEET_KEY) -> dict[str, Any]:
    config = {"spreadsheetId": "s1", "range": "Log!A:B", "apiKey": key, "values": [["a", "b"]]}
    return {"type": "GOOGLE_SHEET_ROW", "config": config}


def _workflow(id_: UUID, name: str, trigger: dict[str, Any] | None, actions: list[Any] | None) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "user_id": ADMIN,
        "enabled": True,
        "trigger_definition": trigger,
        "actions_definition": actions,
    }


def _trigger(id_: UUID, workflow_id: UUID, kind: str, configuration: Any, **others: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "workflow_id": workflow_id,
        "user_id": ADMIN,
        "enabled": True,
        "trigger_type": kind,
        "configuration": configuration,
        **others,
    }


def _bcrypt(password: str, prefix: bytes) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix)).decode()


def _insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    row = {"created_at": LONG_AGO, "updated_at": LONG_AGO, **row}
    names = ", ".join(row)
    places = ", ".join(f"CAST(:{name} AS jsonb)" if _is_json(name) else f":{name}" for name in row)
    values = {name: json.dumps(value) if _is_json(name) and value is not None else value for name, value in row.items()}
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def _is_json(name: str) -> bool:
    return name in {"trigger_definition", "actions_definition", "configuration", "trigger_payload", "step_outputs"}
