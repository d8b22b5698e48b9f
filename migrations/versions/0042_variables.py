"""Variables: settings of an account that expressions call by their names."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE workflow.variables (
            user_id uuid NOT NULL,
            name text NOT NULL,
            value text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (user_id, name)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE workflow.variables")
