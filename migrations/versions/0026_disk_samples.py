"""How much room the disk of the database had, every ten minutes of a week."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE orchestrator.disk_samples (
    taken_at timestamptz PRIMARY KEY,
    free_bytes bigint NOT NULL
);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE orchestrator.disk_samples")
