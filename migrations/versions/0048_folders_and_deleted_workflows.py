"""Folders of workflows; deleted workflows, which can be restored for a while; a field of the payload that lists show."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workflow.workflows ADD COLUMN folder text, ADD COLUMN list_field text")
    op.execute("CREATE INDEX idx_workflows_folder ON workflow.workflows (user_id, folder) WHERE folder IS NOT NULL")
    op.execute("""
        CREATE TABLE workflow.deleted_workflows (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL,
            name text NOT NULL,
            deleted_at timestamptz NOT NULL DEFAULT now(),
            kept jsonb NOT NULL
        )
    """)
    op.execute("CREATE INDEX idx_deleted_workflows_user ON workflow.deleted_workflows (user_id, deleted_at)")
    op.execute("CREATE INDEX idx_deleted_workflows_age ON workflow.deleted_workflows (deleted_at)")


def downgrade() -> None:
    op.execute("DROP TABLE workflow.deleted_workflows")
    op.execute("ALTER TABLE workflow.workflows DROP COLUMN list_field, DROP COLUMN folder")
