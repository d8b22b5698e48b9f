"""Personal access tokens have scopes. Those made before could do everything, and still can."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "ALTER TABLE auth.access_tokens"
        " ADD COLUMN IF NOT EXISTS scopes text[] NOT NULL DEFAULT '{read,run,write,admin}'"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
