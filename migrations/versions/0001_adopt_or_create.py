"""Adopt the tables of the original implementations where they exist, create them where not, and add ours.

gen_random_uuid() needs no extension since PostgreSQL 13.

Every statement is written so that it can meet three worlds: an empty database, the shipped SQL's shape, and the shape
the Spring version makes by itself (contract.md, section 4). Nothing is changed that an old reader relies on; columns
are only added, and all of them are nullable or have a default.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CONTRACT_TABLES = """
CREATE SCHEMA IF NOT EXISTS auth;
CREATE SCHEMA IF NOT EXISTS workflow;
CREATE SCHEMA IF NOT EXISTS trigger_service;
CREATE SCHEMA IF NOT EXISTS orchestrator;
CREATE SCHEMA IF NOT EXISTS logbook;

CREATE TABLE IF NOT EXISTS auth.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username text NOT NULL UNIQUE,
    email text NOT NULL UNIQUE,
    password text NOT NULL,
    refresh_token varchar(512),
    refresh_token_expiry_date timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS workflow.workflows (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    user_id uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    trigger_definition jsonb,
    actions_definition jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS trigger_service.trigger_registrations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL,
    user_id uuid NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    trigger_type text NOT NULL,
    configuration jsonb,
    webhook_url text UNIQUE,
    webhook_token text UNIQUE,
    last_triggered_at timestamptz,
    next_scheduled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS orchestrator.workflow_executions (
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
CREATE INDEX IF NOT EXISTS idx_workflows_user_id ON workflow.workflows (user_id);
CREATE INDEX IF NOT EXISTS idx_workflow_id ON trigger_service.trigger_registrations (workflow_id);
CREATE INDEX IF NOT EXISTS idx_user_id ON trigger_service.trigger_registrations (user_id);
CREATE INDEX IF NOT EXISTS idx_trigger_type ON trigger_service.trigger_registrations (trigger_type);
CREATE INDEX IF NOT EXISTS idx_webhook_token ON trigger_service.trigger_registrations (webhook_token);
CREATE INDEX IF NOT EXISTS idx_executions_workflow_id ON orchestrator.workflow_executions (workflow_id);
CREATE INDEX IF NOT EXISTS idx_executions_user_id ON orchestrator.workflow_executions (user_id);
"""

# The Spring version makes its tables without any default.
DEFAULTS = """
ALTER TABLE auth.users ALTER id SET DEFAULT gen_random_uuid(),
    ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
ALTER TABLE workflow.workflows ALTER id SET DEFAULT gen_random_uuid(), ALTER enabled SET DEFAULT true,
    ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
ALTER TABLE trigger_service.trigger_registrations
    ALTER id SET DEFAULT gen_random_uuid(), ALTER enabled SET DEFAULT true,
    ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
ALTER TABLE orchestrator.workflow_executions ALTER id SET DEFAULT gen_random_uuid(),
    ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now();
"""

ADDED_COLUMNS = """
ALTER TABLE auth.users ADD COLUMN IF NOT EXISTS time_zone text;
CREATE INDEX IF NOT EXISTS idx_users_refresh_token ON auth.users (refresh_token) WHERE refresh_token IS NOT NULL;
ALTER TABLE workflow.workflows ADD COLUMN IF NOT EXISTS version_id uuid;
ALTER TABLE trigger_service.trigger_registrations
    ADD COLUMN IF NOT EXISTS managed boolean,
    ADD COLUMN IF NOT EXISTS last_success_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_error_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_error text;
ALTER TABLE orchestrator.workflow_executions
    ADD COLUMN IF NOT EXISTS event_id uuid,
    ADD COLUMN IF NOT EXISTS version_id uuid,
    ADD COLUMN IF NOT EXISTS trigger_id uuid,
    ADD COLUMN IF NOT EXISTS trigger_type text,
    ADD COLUMN IF NOT EXISTS error jsonb,
    ADD COLUMN IF NOT EXISTS finished_at timestamptz;
CREATE INDEX IF NOT EXISTS idx_trigger_due ON trigger_service.trigger_registrations (next_scheduled_at)
    WHERE enabled AND next_scheduled_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_executions_user_created
    ON orchestrator.workflow_executions (user_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS idx_executions_workflow_created
    ON orchestrator.workflow_executions (workflow_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX IF NOT EXISTS uq_executions_event ON orchestrator.workflow_executions (event_id);
CREATE INDEX IF NOT EXISTS idx_executions_finished ON orchestrator.workflow_executions (finished_at)
    WHERE finished_at IS NOT NULL;
"""

OUR_TABLES = """
CREATE TABLE auth.refresh_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    family_id uuid NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    user_agent text
);
CREATE INDEX idx_refresh_tokens_user_id ON auth.refresh_tokens (user_id);
CREATE INDEX idx_refresh_tokens_family ON auth.refresh_tokens (family_id);

CREATE TABLE workflow.workflow_versions (
    id uuid PRIMARY KEY,
    workflow_id uuid NOT NULL,
    number integer NOT NULL,
    definition jsonb NOT NULL,
    templated boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    note text
);
CREATE UNIQUE INDEX uq_workflow_versions_number ON workflow.workflow_versions (workflow_id, number);

CREATE TABLE trigger_service.mailbox_states (
    trigger_id uuid PRIMARY KEY,
    uid_validity bigint NOT NULL,
    last_uid bigint NOT NULL,
    source text NOT NULL,
    backlog_uid bigint NOT NULL,
    backlog_since timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trigger_service.trigger_events (
    id uuid PRIMARY KEY,
    trigger_id uuid,
    workflow_id uuid NOT NULL,
    user_id uuid NOT NULL,
    trigger_type text NOT NULL,
    payload jsonb NOT NULL,
    metadata jsonb NOT NULL,
    idempotency_key text,
    execution_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz,
    dropped_because text
);
CREATE INDEX idx_trigger_events_owed ON trigger_service.trigger_events (created_at) WHERE handled_at IS NULL;
CREATE UNIQUE INDEX uq_trigger_events_idempotency ON trigger_service.trigger_events (trigger_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX idx_trigger_events_created ON trigger_service.trigger_events (created_at);

CREATE TABLE orchestrator.step_attempts (
    execution_id uuid NOT NULL REFERENCES orchestrator.workflow_executions (id) ON DELETE CASCADE,
    step_index integer NOT NULL,
    iteration integer NOT NULL,
    attempt integer NOT NULL,
    workflow_id uuid NOT NULL,
    state text NOT NULL,
    due_at timestamptz NOT NULL,
    sent_at timestamptz,
    parked boolean NOT NULL DEFAULT false,
    claims integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_until timestamptz,
    succeeded boolean,
    output jsonb,
    error jsonb,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (execution_id, step_index, iteration, attempt)
);
CREATE INDEX idx_attempts_waiting ON orchestrator.step_attempts (due_at) WHERE state = 'QUEUED' AND sent_at IS NULL;
CREATE INDEX idx_attempts_sent ON orchestrator.step_attempts (sent_at) WHERE state = 'QUEUED' AND NOT parked;
CREATE INDEX idx_attempts_parked ON orchestrator.step_attempts (workflow_id, due_at) WHERE state = 'QUEUED' AND parked;
CREATE INDEX idx_attempts_leased ON orchestrator.step_attempts (lease_until) WHERE state = 'RUNNING';
CREATE INDEX idx_attempts_unapplied ON orchestrator.step_attempts (finished_at) WHERE state = 'ENDED';

CREATE TABLE orchestrator.dead_letters (
    id uuid PRIMARY KEY,
    topic text NOT NULL,
    consumer_group text NOT NULL,
    position text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_dead_letters_created ON orchestrator.dead_letters (created_at);
CREATE UNIQUE INDEX uq_dead_letters_position ON orchestrator.dead_letters (topic, consumer_group, position);

CREATE TABLE logbook.execution_logs (
    id varchar(24) PRIMARY KEY,
    dedup_key text NOT NULL UNIQUE,
    user_id uuid NOT NULL,
    workflow_id uuid,
    execution_id uuid,
    event_id uuid,
    event_type text NOT NULL,
    status text NOT NULL,
    data jsonb,
    timestamp timestamptz NOT NULL
);
CREATE INDEX idx_logs_user_time ON logbook.execution_logs (user_id, timestamp, id);
CREATE INDEX idx_logs_execution_time ON logbook.execution_logs (execution_id, timestamp, id);
CREATE INDEX idx_logs_workflow_time ON logbook.execution_logs (workflow_id, timestamp, id);
CREATE INDEX idx_logs_time ON logbook.execution_logs (timestamp);

-- Rows that come and go quickly: vacuum them often, and leave room on the page for the updates.
ALTER TABLE orchestrator.step_attempts SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE orchestrator.workflow_executions SET (fillfactor = 70);
ALTER TABLE trigger_service.trigger_events SET (fillfactor = 80);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CONTRACT_TABLES)
    op.execute(DEFAULTS)
    op.execute(ADDED_COLUMNS)
    op.execute(OUR_TABLES)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
