"""The guided first workflow: whose it is, and which workflow. How far somebody got is read off the workflow itself."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE TABLE workflow.guides (
            user_id uuid PRIMARY KEY,
            workflow_id uuid NOT NULL REFERENCES workflow.workflows (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX idx_guides_workflow ON workflow.guides (workflow_id)")


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
