"""The sessions of an account that ended lately are found without looking at the others."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX idx_refresh_tokens_ended ON auth.refresh_tokens (user_id, revoked_at) WHERE revoked_at IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX auth.idx_refresh_tokens_ended")
