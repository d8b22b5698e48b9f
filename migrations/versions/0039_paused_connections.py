"""Connections whose receivers ask to be left alone for a while."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workflow.connections ADD COLUMN paused_until timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE workflow.connections DROP COLUMN paused_until")
