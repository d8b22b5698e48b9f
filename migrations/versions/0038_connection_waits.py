"""Steps that wait for a connection are found by it."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX idx_attempts_connection ON orchestrator.step_attempts ((waiting->>'connection'))"
        " WHERE state = 'WAITING' AND waiting->>'connection' IS NOT NULL"
    )


def downgrade() -> None:
    """What waits by then goes on: the release before would end it as an answer that never came."""
    op.execute(
        "UPDATE orchestrator.step_attempts SET state = 'QUEUED', due_at = now(), sent_at = NULL, waiting = NULL"
        " WHERE state = 'WAITING' AND waiting->>'connection' IS NOT NULL"
    )
    op.execute("DROP INDEX orchestrator.idx_attempts_connection")
