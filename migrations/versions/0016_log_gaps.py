"""How far the log of a time is repaired that an emptied bus has left with gaps."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE orchestrator.log_gaps (
    name text PRIMARY KEY,
    written_to timestamptz NOT NULL,
    written_to_event uuid NOT NULL,
    ends_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE orchestrator.log_gaps")
