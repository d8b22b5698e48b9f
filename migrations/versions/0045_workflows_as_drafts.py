"""Workflows that have never been published: they are listed by what stands in their drafts."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workflow.workflows ADD COLUMN published boolean NOT NULL DEFAULT true")
    op.execute("ALTER TABLE workflow.workflow_drafts ADD COLUMN trigger_type text, ADD COLUMN steps integer")


def downgrade() -> None:
    op.execute("ALTER TABLE workflow.workflow_drafts DROP COLUMN trigger_type, DROP COLUMN steps")
    op.execute("ALTER TABLE workflow.workflows DROP COLUMN published")
