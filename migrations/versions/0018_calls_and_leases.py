"""A repeated call keeps its key, a call whose outcome is unknown may end its step, and a lease ends only after notice."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE orchestrator.step_attempts
    ADD COLUMN IF NOT EXISTS repeats integer,
    ADD COLUMN IF NOT EXISTS fails_after_crash boolean,
    ADD COLUMN IF NOT EXISTS lapsed_at timestamptz;
"""

UNDOING = """
ALTER TABLE orchestrator.step_attempts
    DROP COLUMN repeats, DROP COLUMN fails_after_crash, DROP COLUMN lapsed_at;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
