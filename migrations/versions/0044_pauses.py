"""Attempts of a step that its policy does not count: those that only met a receiver who asked for a pause."""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orchestrator.step_attempts ADD COLUMN pauses integer")


def downgrade() -> None:
    op.execute("ALTER TABLE orchestrator.step_attempts DROP COLUMN pauses")
