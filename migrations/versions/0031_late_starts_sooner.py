"""A start counts as late from a tenth of a second on: a rate limit may be for as little as a second."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STATEMENTS = """
DROP INDEX orchestrator.idx_attempts_late;
CREATE INDEX idx_attempts_late ON orchestrator.step_attempts (workflow_id, started_at)
    WHERE rate_limited AND (started_at IS NULL OR started_at - due_at > interval '{lateness}');
"""
"""The release before asks for those that are a second late, which the index holds, too."""


def upgrade() -> None:
    op.execute(STATEMENTS.format(lateness="0.1 seconds"))


def downgrade() -> None:
    op.execute(STATEMENTS.format(lateness="1 second"))
