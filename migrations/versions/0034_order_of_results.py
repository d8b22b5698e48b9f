"""The order of fields is kept beside results of executions and pinned outputs, too (flowforge.field_order)."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orchestrator.workflow_executions ADD COLUMN result_order jsonb")
    op.execute("ALTER TABLE workflow.pinned_outputs ADD COLUMN output_order jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE orchestrator.workflow_executions DROP COLUMN result_order")
    op.execute("ALTER TABLE workflow.pinned_outputs DROP COLUMN output_order")
