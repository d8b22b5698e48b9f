"""One error workflow for all workflows of an account that name none of their own."""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN error_workflow_id uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE auth.users DROP COLUMN error_workflow_id")
