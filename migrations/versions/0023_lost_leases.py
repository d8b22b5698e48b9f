"""An attempt whose lease was lost is begun with more care."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orchestrator.step_attempts ADD COLUMN IF NOT EXISTS leases_lost integer")


def downgrade() -> None:
    op.execute("ALTER TABLE orchestrator.step_attempts DROP COLUMN leases_lost")
