"""Accounts that were deleted are remembered until what their executions left is deleted, too."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE auth.removed_accounts (
    user_id uuid PRIMARY KEY,
    removed_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE auth.removed_accounts")
