"""The first step of an execution under a rate limit may begin late: then its permit counts from there."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE orchestrator.step_attempts ADD COLUMN IF NOT EXISTS rate_limited boolean;
CREATE INDEX IF NOT EXISTS idx_attempts_late ON orchestrator.step_attempts (workflow_id, started_at)
    WHERE rate_limited AND (started_at IS NULL OR started_at - due_at > interval '1 second');
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("ALTER TABLE orchestrator.step_attempts DROP COLUMN rate_limited")
