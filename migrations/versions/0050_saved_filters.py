"""Filters of lists that accounts save under names."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workflow.saved_filters (
            user_id uuid NOT NULL,
            listed text NOT NULL,
            name text NOT NULL,
            query text NOT NULL,
            PRIMARY KEY (user_id, listed, name)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE workflow.saved_filters")
