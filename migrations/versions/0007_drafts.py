"""Drafts, the versions that are made of them to run them (these have no number), and pinned outputs."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE workflow.workflow_versions ALTER COLUMN number DROP NOT NULL;

CREATE TABLE workflow.workflow_drafts (
    id uuid PRIMARY KEY REFERENCES workflow.workflows (id) ON DELETE CASCADE,
    definition jsonb NOT NULL,
    revision integer NOT NULL,
    base_version_id uuid,
    run_version_id uuid,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid NOT NULL
);

CREATE TABLE workflow.pinned_outputs (
    workflow_id uuid NOT NULL REFERENCES workflow.workflows (id) ON DELETE CASCADE,
    step_id text NOT NULL,
    output jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workflow_id, step_id)
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
