"""Limits of workflows: what runs and what waits is found without reading the whole queue; a rate limit remembers when
executions began."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE INDEX idx_executions_placed ON orchestrator.workflow_executions (concurrency_key)
    WHERE concurrency_key IS NOT NULL AND status IN ('PENDING', 'RUNNING')
        AND begin_at IS DISTINCT FROM '9999-01-01 00:00:00+00'::timestamptz;
CREATE INDEX idx_executions_placeless ON orchestrator.workflow_executions (concurrency_key, created_at, id)
    WHERE begin_at = '9999-01-01 00:00:00+00'::timestamptz;
CREATE INDEX idx_executions_turnless ON orchestrator.workflow_executions (workflow_id, created_at, id)
    WHERE begin_at < '9999-01-01 00:00:00+00'::timestamptz;

ALTER TABLE orchestrator.rate_turns
    ADD COLUMN begun jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN awaited boolean NOT NULL DEFAULT false;
CREATE INDEX idx_rate_turns_awaited ON orchestrator.rate_turns (taken_until) WHERE awaited;
"""

WAITING = """
-- What waits has its place and its turn given anew: a time to begin is no promise any more.
UPDATE orchestrator.workflow_executions SET begin_at = '9999-01-01 00:00:00+00'
WHERE begin_at IS NOT NULL AND finished_at IS NULL AND concurrency_key IS NOT NULL;
UPDATE orchestrator.rate_turns SET awaited = true, taken_until = now();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)
    op.execute(WAITING)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
