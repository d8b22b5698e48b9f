"""The run whose data a workflow is built on; outputs of step tests apart from those that somebody pinned."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workflow.workflows ADD COLUMN data_execution_id uuid")
    op.execute("ALTER TABLE workflow.pinned_outputs ADD COLUMN of_test boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE workflow.pinned_outputs DROP COLUMN of_test")
    op.execute("ALTER TABLE workflow.workflows DROP COLUMN data_execution_id")
