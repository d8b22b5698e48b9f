"""Accounts can have a second factor: a sealed secret of one-time passwords, and recovery codes, stored as hashes."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE auth.users
    ADD COLUMN IF NOT EXISTS totp_secret jsonb,
    ADD COLUMN IF NOT EXISTS totp_confirmed_at timestamptz,
    ADD COLUMN IF NOT EXISTS totp_last_step bigint NOT NULL DEFAULT 0;

CREATE TABLE auth.recovery_codes (
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);
"""

UNDOING = """
DROP TABLE auth.recovery_codes;
ALTER TABLE auth.users DROP COLUMN totp_secret, DROP COLUMN totp_confirmed_at, DROP COLUMN totp_last_step;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
