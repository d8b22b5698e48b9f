"""Mails by the instance's own server are counted by account and day."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE auth.daily_usage ADD COLUMN IF NOT EXISTS mails bigint NOT NULL DEFAULT 0;
ALTER TABLE auth.quotas ADD COLUMN IF NOT EXISTS mails_a_day integer;
"""

UNDOING = """
ALTER TABLE auth.daily_usage DROP COLUMN mails;
ALTER TABLE auth.quotas DROP COLUMN mails_a_day;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
