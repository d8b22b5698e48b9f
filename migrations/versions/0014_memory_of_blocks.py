"""A block may keep something from one of its frames to the next."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE orchestrator.open_blocks ADD COLUMN IF NOT EXISTS memory jsonb;
"""

UNDOING = """
ALTER TABLE orchestrator.open_blocks DROP COLUMN memory;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
