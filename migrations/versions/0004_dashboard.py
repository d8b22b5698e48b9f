"""For the dashboard: access tokens, browser sessions, tags, hourly counts, whose dead letter it is; indexes of its lists."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE auth.access_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    start text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX idx_access_tokens_user ON auth.access_tokens (user_id, created_at);

CREATE TABLE auth.web_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    user_agent text NOT NULL,
    address text NOT NULL
);
CREATE INDEX idx_web_sessions_user ON auth.web_sessions (user_id, last_seen_at);

CREATE TABLE workflow.workflow_tags (
    workflow_id uuid NOT NULL REFERENCES workflow.workflows (id) ON DELETE CASCADE,
    tag text NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (workflow_id, tag)
);
CREATE INDEX idx_workflow_tags_user ON workflow.workflow_tags (user_id, tag);

CREATE TABLE orchestrator.execution_hours (
    user_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    PRIMARY KEY (user_id, hour)
);

ALTER TABLE orchestrator.dead_letters ADD COLUMN user_id uuid;
CREATE INDEX idx_dead_letters_user ON orchestrator.dead_letters (user_id, created_at DESC, id DESC);

CREATE INDEX idx_executions_open ON orchestrator.workflow_executions (user_id, created_at DESC, id DESC)
    WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX idx_executions_troubled ON orchestrator.workflow_executions (user_id, created_at DESC, id DESC)
    WHERE status IN ('FAILED', 'CANCELLED');
CREATE INDEX idx_executions_user_finished ON orchestrator.workflow_executions (user_id, finished_at, status)
    WHERE finished_at IS NOT NULL;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
