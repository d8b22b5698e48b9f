"""What failed, and what was cancelled, is found by its status, of an account and of one workflow: however many there are
of the other."""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TROUBLED = "status IN ('FAILED', 'CANCELLED')"


def upgrade() -> None:
    for owner in ("user", "workflow"):
        op.execute(
            f"CREATE INDEX idx_executions_{owner}_troubled ON orchestrator.workflow_executions"
            f" ({owner}_id, status, created_at DESC, id DESC) WHERE {TROUBLED}"
        )
    op.execute("DROP INDEX IF EXISTS orchestrator.idx_executions_troubled")


def downgrade() -> None:
    op.execute(
        "CREATE INDEX idx_executions_troubled ON orchestrator.workflow_executions"
        f" (user_id, created_at DESC, id DESC) WHERE {TROUBLED}"
    )
    for owner in ("user", "workflow"):
        op.execute(f"DROP INDEX orchestrator.idx_executions_{owner}_troubled")
