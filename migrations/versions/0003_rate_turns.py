"""Rate limits of workflows: until when the turns are given out."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE orchestrator.rate_turns (
    workflow_id uuid PRIMARY KEY,
    taken_until timestamptz NOT NULL
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
